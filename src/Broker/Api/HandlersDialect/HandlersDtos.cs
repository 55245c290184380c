using System.Text.Json;
using System.Text.Json.Serialization;

namespace Broker.Api.HandlersDialect;

// These describe what is on the wire for /openapi.json; answers are written and requests read by hand.

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

/// <summary>What to start with; every member is optional. The start event may also be a string that holds a JSON object.</summary>
internal sealed record RunRequestDto(
    [property: JsonPropertyName("start_event")] JsonElement? StartEvent,
    [property: JsonPropertyName("kwargs")] JsonElement? Kwargs,
    [property: JsonPropertyName("context")] JsonElement? Context,
    [property: JsonPropertyName("handler_id")] string? HandlerId);

/// <summary>JSON schemas of the start and the stop event.</summary>
internal sealed record WorkflowSchemaDto(
    [property: JsonPropertyName("start")] JsonElement Start, [property: JsonPropertyName("stop")] JsonElement Stop);

/// <summary>One JSON schema for each registered event; its title is the event's name.</summary>
internal sealed record WorkflowEventsDto([property: JsonPropertyName("events")] IReadOnlyList<JsonElement> Events);

/// <summary>Steps and events as nodes, and which leads to which.</summary>
internal sealed record WorkflowGraphDto([property: JsonPropertyName("graph")] JsonElement Graph);

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
