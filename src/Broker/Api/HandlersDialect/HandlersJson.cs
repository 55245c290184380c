using System.Text.Json.Serialization;

namespace Broker.Api.HandlersDialect;

/// <summary>Serialisers of the answers of this dialect.</summary>
[JsonSerializable(typeof(HandlersErrorDto))]
[JsonSerializable(typeof(StatusDto))]
[JsonSerializable(typeof(WorkflowEventsDto))]
[JsonSerializable(typeof(WorkflowGraphDto))]
[JsonSerializable(typeof(WorkflowSchemaDto))]
internal sealed partial class HandlersJson : JsonSerializerContext;
