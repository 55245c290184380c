using System.Text.Json.Serialization;

namespace Broker.Api.JobsDialect;

/// <summary>Serialisers of the answers of this dialect. Claims are written by hand: see <see cref="ClaimWriter"/>.</summary>
[JsonSerializable(typeof(JobsErrorDto))]
[JsonSerializable(typeof(LabelledWorkerDto))]
[JsonSerializable(typeof(RenewedLeasesDto))]
[JsonSerializable(typeof(JobVerdictDto[]))]
[JsonSerializable(typeof(WorkflowFileDto))]
[JsonSerializable(typeof(RunStartedDto))]
[JsonSerializable(typeof(RunAttemptDto[]))]
[JsonSerializable(typeof(CancelledRunsDto))]
[JsonSerializable(typeof(bool))]
internal sealed partial class JobsJson : JsonSerializerContext;
