using System.Text.Json.Serialization;

namespace Broker.Api.BrokerDialect;

/// <summary>Serialisers of the answers of this dialect. Assignments are written by hand: see <see cref="AssignmentJson"/>.</summary>
[JsonSerializable(typeof(HeldStepVerdict[]))]
[JsonSerializable(typeof(RepositoryInfo[]))]
[JsonSerializable(typeof(RepositoryWorkflow))]
[JsonSerializable(typeof(RequestRefused))]
[JsonSerializable(typeof(StatusInfo))]
[JsonSerializable(typeof(StepVerdict[]))]
[JsonSerializable(typeof(WorkerInfo))]
internal sealed partial class BrokerJson : JsonSerializerContext;
