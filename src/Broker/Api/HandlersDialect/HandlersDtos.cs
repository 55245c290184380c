using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Http;
using Broker.Operators;

namespace Broker.Api.HandlersDialect;

// The forms of requests and answers. Requests are read by hand; so are handler objects and streams written, row by row.

/// <summary>One started workflow.</summary>
/// <param name="HandlerId">Id of the handler.</param>
/// <param name="WorkflowName">Name of the workflow.</param>
/// <param name="RunId">Id of the present run.</param>
/// <param name="Error">Text of the failure; null unless it failed or was cancelled.</param>
/// <param name="Result">Final value, or the stop event that carries it; null before the end.</param>
/// <param name="Status">Status of the present run.</param>
/// <param name="StartedAt">Start of the run.</param>
/// <param name="UpdatedAt">Last change.</param>
/// <param name="CompletedAt">End of the run; null before.</param>
internal sealed record HandlerDto(
    [property: JsonPropertyName("handler_id")] string HandlerId,
    [property: JsonPropertyName("workflow_name")] string WorkflowName,
    [property: JsonPropertyName("run_id")] string? RunId,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("result")] JsonElement? Result,
    [property: JsonPropertyName("status"), Words("running", "completed", "failed", "cancelled")] string Status,
    [property: JsonPropertyName("started_at")] DateTimeOffset StartedAt,
    [property: JsonPropertyName("updated_at")] DateTimeOffset? UpdatedAt,
    [property: JsonPropertyName("completed_at")] DateTimeOffset? CompletedAt);

/// <summary>Handlers, oldest first.</summary>
/// <param name="Handlers">The handlers.</param>
/// <param name="Cursor">Cursor of the page that follows, null on the last one; only with <c>limit</c> or <c>cursor</c>.</param>
internal sealed record HandlersListDto(
    [property: JsonPropertyName("handlers")] IReadOnlyList<HandlerDto> Handlers, [property: JsonPropertyName("cursor")] string? Cursor = null);

/// <summary>One word.</summary>
/// <param name="Status">State of the broker, or outcome of the request.</param>
internal sealed record StatusDto([property: JsonPropertyName("status"), Words("healthy", "unhealthy", "sent", "cancelled", "deleted")] string Status);

/// <summary>Why a request was refused.</summary>
/// <param name="Detail">The fault and the expectation, for people.</param>
internal sealed record HandlersErrorDto([property: JsonPropertyName("detail")] string Detail);

/// <summary>Registered workflows.</summary>
/// <param name="Workflows">Names in order of registration.</param>
internal sealed record WorkflowNamesDto([property: JsonPropertyName("workflows")] IReadOnlyList<string> Workflows);

/// <summary>Event to start with; every member is optional. The members behind <c>handler_id</c> are extensions.</summary>
/// <param name="StartEvent">Fields of the start event: an object, or a string that holds one.</param>
/// <param name="Kwargs">Fields of the start event, in an older spelling.</param>
/// <param name="Context">Context of the run.</param>
/// <param name="HandlerId">Id of a completed handler to go on from.</param>
/// <param name="StartAt">No step is handed out before.</param>
/// <param name="DelayMs">The same, in milliseconds from now.</param>
/// <param name="Priority">Added to the priority of each step, -1,000 to 1,000.</param>
/// <param name="RunMs">Milliseconds after which the run fails, in place of the workflow's limit.</param>
internal sealed record RunRequestDto(
    [property: JsonPropertyName("start_event")] JsonElement? StartEvent,
    [property: JsonPropertyName("kwargs")] JsonElement? Kwargs,
    [property: JsonPropertyName("context")] JsonElement? Context,
    [property: JsonPropertyName("handler_id")] string? HandlerId,
    [property: JsonPropertyName("start_at")] DateTimeOffset? StartAt = null,
    [property: JsonPropertyName("delay_ms")] long? DelayMs = null,
    [property: JsonPropertyName("priority")] int? Priority = null,
    [property: JsonPropertyName("run_ms")] long? RunMs = null);

/// <summary>JSON schemas of a workflow.</summary>
/// <param name="Start">Schema of the start event.</param>
/// <param name="Stop">Schema of the stop event.</param>
internal sealed record WorkflowSchemaDto(
    [property: JsonPropertyName("start")] JsonPassThrough Start, [property: JsonPropertyName("stop")] JsonPassThrough Stop);

/// <summary>Events of a workflow.</summary>
/// <param name="Events">One JSON schema each; its title is the event's name.</param>
internal sealed record WorkflowEventsDto([property: JsonPropertyName("events")] IReadOnlyList<JsonPassThrough> Events);

/// <summary>A workflow drawn as a graph.</summary>
/// <param name="Graph">The graph.</param>
internal sealed record WorkflowGraphDto([property: JsonPropertyName("graph")] GraphDto Graph);

/// <summary>Steps and events as nodes, with the edges between them.</summary>
/// <param name="Name">Name of the workflow.</param>
/// <param name="Description">Always null.</param>
/// <param name="Nodes">Steps and events.</param>
/// <param name="Edges">Which node leads to which.</param>
internal sealed record GraphDto(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("description")] string? Description,
    [property: JsonPropertyName("nodes")] IReadOnlyList<GraphNodeDto> Nodes,
    [property: JsonPropertyName("edges")] IReadOnlyList<GraphEdgeDto> Edges);

/// <summary>A node.</summary>
/// <param name="Id">Id of the node.</param>
/// <param name="Label">Text of the node.</param>
/// <param name="NodeType">Kind of the node.</param>
/// <param name="Title">Always null.</param>
/// <param name="EventType">Event type; null for steps.</param>
/// <param name="EventTypes">Ancestors of the event type; only for events.</param>
/// <param name="EventSchema">JSON Schema of the event; only for events.</param>
/// <param name="Description">Always null; not for events.</param>
internal sealed record GraphNodeDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("label")] string Label,
    [property: JsonPropertyName("node_type"), Words("step", "event", "external")] string NodeType,
    [property: JsonPropertyName("title")] string? Title,
    [property: JsonPropertyName("event_type")] string? EventType,
    [property: JsonPropertyName("event_types"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? EventTypes,
    [property: JsonPropertyName("event_schema"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonPassThrough? EventSchema,
    [property: JsonPropertyName("description"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonPassThrough? Description);

/// <summary>Which node leads to which.</summary>
/// <param name="Source">Id of the node that leads.</param>
/// <param name="Target">Id of the node that follows.</param>
/// <param name="Label">Result by which a step takes that branch; null for the default one.</param>
internal sealed record GraphEdgeDto(
    [property: JsonPropertyName("source")] string Source,
    [property: JsonPropertyName("target")] string Target,
    [property: JsonPropertyName("label")] string? Label);

/// <summary>One event of a stream.</summary>
/// <param name="Value">Fields of the event.</param>
/// <param name="QualifiedName">Name with its module.</param>
/// <param name="Type">Event type.</param>
/// <param name="Types">Names of its ancestors.</param>
internal sealed record StreamEventDto(
    [property: JsonPropertyName("value")] JsonElement Value,
    [property: JsonPropertyName("qualified_name")] string? QualifiedName,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("types")] IReadOnlyList<string>? Types);

/// <summary>An event for a run.</summary>
/// <param name="Event">An object with <c>type</c> and <c>value</c>, or a string that holds one.</param>
/// <param name="Step">The only step that may take it; left out: all that take the type.</param>
/// <param name="Id">Extension: the sender's id; sent again with the same id, the event is taken once.</param>
internal sealed record SendEventDto(
    [property: JsonPropertyName("event")] JsonElement Event, [property: JsonPropertyName("step")] string? Step,
    [property: JsonPropertyName("id")] string? Id);
