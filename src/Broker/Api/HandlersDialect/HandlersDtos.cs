using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Http;

namespace Broker.Api.HandlersDialect;

// The forms of requests and answers. Requests are read by hand; so are handler objects and streams written, row by row.

/// <summary>One started workflow. <c>result</c> is the bare value, or the stop event that carries it.</summary>
internal sealed record HandlerDto(
    [property: JsonPropertyName("handler_id")] string HandlerId,
    [property: JsonPropertyName("workflow_name")] string WorkflowName,
    [property: JsonPropertyName("run_id")] string? RunId,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("result")] JsonElement? Result,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("started_at")] DateTimeOffset StartedAt,
    [property: JsonPropertyName("updated_at")] DateTimeOffset? UpdatedAt,
    [property: JsonPropertyName("completed_at")] DateTimeOffset? CompletedAt);

/// <summary>Handlers, oldest first. <c>cursor</c> is there when <c>limit</c> or <c>cursor</c> was given: for the page that follows, null on the last one.</summary>
internal sealed record HandlersListDto(
    [property: JsonPropertyName("handlers")] IReadOnlyList<HandlerDto> Handlers, [property: JsonPropertyName("cursor")] string? Cursor = null);

/// <summary>One word: healthy, sent, cancelled or deleted.</summary>
internal sealed record StatusDto([property: JsonPropertyName("status")] string Status);

/// <summary>Why a request was refused.</summary>
internal sealed record HandlersErrorDto([property: JsonPropertyName("detail")] string Detail);

/// <summary>Registered workflow names, in order of registration.</summary>
internal sealed record WorkflowNamesDto([property: JsonPropertyName("workflows")] IReadOnlyList<string> Workflows);

/// <summary>
/// What to start with; every member is optional. The start event may also be a string that holds a JSON object. Extensions: no step is handed out
/// before <c>start_at</c>, or for <c>delay_ms</c>; <c>priority</c> (-1000 to 1000) is added to that of each step; after <c>run_ms</c> the run fails.
/// </summary>
internal sealed record RunRequestDto(
    [property: JsonPropertyName("start_event")] JsonElement? StartEvent,
    [property: JsonPropertyName("kwargs")] JsonElement? Kwargs,
    [property: JsonPropertyName("context")] JsonElement? Context,
    [property: JsonPropertyName("handler_id")] string? HandlerId,
    [property: JsonPropertyName("start_at")] DateTimeOffset? StartAt = null,
    [property: JsonPropertyName("delay_ms")] long? DelayMs = null,
    [property: JsonPropertyName("priority")] int? Priority = null,
    [property: JsonPropertyName("run_ms")] long? RunMs = null);

/// <summary>JSON schemas of the start and the stop event.</summary>
internal sealed record WorkflowSchemaDto(
    [property: JsonPropertyName("start")] JsonPassThrough Start, [property: JsonPropertyName("stop")] JsonPassThrough Stop);

/// <summary>One JSON schema for each registered event; its title is the event's name.</summary>
internal sealed record WorkflowEventsDto([property: JsonPropertyName("events")] IReadOnlyList<JsonPassThrough> Events);

/// <summary>A workflow drawn as a graph.</summary>
internal sealed record WorkflowGraphDto([property: JsonPropertyName("graph")] GraphDto Graph);

/// <summary>Steps and events as nodes, and which leads to which. The description is always null.</summary>
internal sealed record GraphDto(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("description")] string? Description,
    [property: JsonPropertyName("nodes")] IReadOnlyList<GraphNodeDto> Nodes,
    [property: JsonPropertyName("edges")] IReadOnlyList<GraphEdgeDto> Edges);

/// <summary>
/// A node. The node type is step, event or external; the title is always null. <c>event_types</c> and <c>event_schema</c> are there only for
/// events, <c>description</c>, always null, for the others.
/// </summary>
internal sealed record GraphNodeDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("label")] string Label,
    [property: JsonPropertyName("node_type")] string NodeType,
    [property: JsonPropertyName("title")] string? Title,
    [property: JsonPropertyName("event_type")] string? EventType,
    [property: JsonPropertyName("event_types"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? EventTypes,
    [property: JsonPropertyName("event_schema"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonPassThrough? EventSchema,
    [property: JsonPropertyName("description"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonPassThrough? Description);

/// <summary>Which node leads to which. The label is the result by which a step takes that branch; null for the default one.</summary>
internal sealed record GraphEdgeDto(
    [property: JsonPropertyName("source")] string Source,
    [property: JsonPropertyName("target")] string Target,
    [property: JsonPropertyName("label")] string? Label);

/// <summary>One event of a stream.</summary>
internal sealed record StreamEventDto(
    [property: JsonPropertyName("value")] JsonElement Value,
    [property: JsonPropertyName("qualified_name")] string? QualifiedName,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("types")] IReadOnlyList<string>? Types);

/// <summary>An event for a run: an object with type and value, or a string that holds one; for one step, or for all that take it. With an id, one that is sent again is taken once.</summary>
internal sealed record SendEventDto(
    [property: JsonPropertyName("event")] JsonElement Event, [property: JsonPropertyName("step")] string? Step,
    [property: JsonPropertyName("id")] string? Id);
