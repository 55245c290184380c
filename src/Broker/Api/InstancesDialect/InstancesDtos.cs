using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Http;
using Broker.Operators;

namespace Broker.Api.InstancesDialect;

// The forms of requests and answers. Requests are read by hand; so are lists and histories written, row by row.

/// <summary>Registered workflows.</summary>
/// <param name="Workflows">Workflows in order of registration.</param>
internal sealed record WorkflowNamesDto([property: JsonPropertyName("workflows")] IReadOnlyList<WorkflowNameDto> Workflows);

/// <summary>A registered workflow.</summary>
/// <param name="Name">Name.</param>
internal sealed record WorkflowNameDto([property: JsonPropertyName("name")] string Name);

/// <summary>An instance to start.</summary>
internal sealed record CreateInstanceDto
{
    /// <summary>1 to 100 letters, digits, _ and -; made up when left out.</summary>
    [JsonPropertyName("id")]
    public string? Id { get; init; }

    /// <summary>Any JSON; an empty object when left out.</summary>
    [JsonPropertyName("params")]
    public JsonElement? Params { get; init; }

    /// <summary>Extension: no step is handed out before.</summary>
    [JsonPropertyName("startAt")]
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>Extension: the same, counted from now.</summary>
    [JsonPropertyName("delayMs")]
    public long? DelayMs { get; init; }

    /// <summary>Extension: added to the priority of each step, -1000 to 1000.</summary>
    [JsonPropertyName("priority")]
    public int? Priority { get; init; }

    /// <summary>Extension: after that time the instance fails.</summary>
    [JsonPropertyName("runMs")]
    public long? RunMs { get; init; }
}

/// <summary>Instances to start.</summary>
/// <param name="Instances">At most 100, each with its id.</param>
internal sealed record CreateInstancesDto([property: JsonPropertyName("instances")] IReadOnlyList<CreateInstanceDto> Instances);

/// <summary>Where an instance is.</summary>
internal sealed record StatusDetailsDto
{
    /// <summary>Status of the run; <c>active</c> on flat paths only.</summary>
    [JsonPropertyName("status"), Words("queued", "running", "paused", "errored", "terminated", "complete", "waiting", "waitingForPause", "active")]
    public required string Status { get; init; }

    /// <summary>Of an instance that errored.</summary>
    [JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StepErrorDto? Error { get; init; }

    /// <summary>Of a complete instance, unless it is null.</summary>
    [JsonPropertyName("output"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonPassThrough? Output { get; init; }

    /// <summary>Run number + 1.</summary>
    [JsonPropertyName("runGeneration"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RunGeneration { get; init; }
}

/// <summary>A failure.</summary>
/// <param name="Name">Name of the error.</param>
/// <param name="Message">Text of the failure.</param>
internal sealed record StepErrorDto([property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("message")] string Message);

/// <summary>An instance and its status.</summary>
/// <param name="Id">Id of the instance.</param>
/// <param name="Details">Its status.</param>
internal sealed record InstanceStatusDto(
    [property: JsonPropertyName("id")] string Id, [property: JsonPropertyName("details")] StatusDetailsDto Details);

/// <summary>Instances that were started.</summary>
/// <param name="Instances">In order of the request.</param>
internal sealed record InstanceStatusesDto([property: JsonPropertyName("instances")] IReadOnlyList<InstanceStatusDto> Instances);

/// <summary>An instance of a list.</summary>
/// <param name="Id">Id of the instance.</param>
/// <param name="Details">Its status.</param>
/// <param name="CreatedAt">Creation.</param>
internal sealed record ListedInstanceDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("details")] StatusDetailsDto Details,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt);

/// <summary>A page of instances.</summary>
/// <param name="Instances">The instances.</param>
/// <param name="Cursor">Cursor of the page that follows; absent on the last one.</param>
/// <param name="NextCursor">The same.</param>
/// <param name="HasNextPage">There is a further page.</param>
internal sealed record InstancePageDto(
    [property: JsonPropertyName("instances")] IReadOnlyList<ListedInstanceDto> Instances,
    [property: JsonPropertyName("cursor")] string? Cursor,
    [property: JsonPropertyName("nextCursor")] string? NextCursor,
    [property: JsonPropertyName("hasNextPage")] bool HasNextPage);

/// <summary>An instance.</summary>
/// <param name="Id">Id of the instance.</param>
/// <param name="Details">Its status.</param>
/// <param name="Meta">Its current run.</param>
internal sealed record InstanceDetailsDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("details")] StatusDetailsDto Details,
    [property: JsonPropertyName("meta")] InstanceMetaDto Meta);

/// <summary>The current run of an instance.</summary>
/// <param name="WorkflowName">Name of the workflow.</param>
/// <param name="RunNumber">Number of the run, from 0.</param>
/// <param name="RunGeneration">Run number + 1.</param>
/// <param name="Params">Params, as they were sent.</param>
/// <param name="PauseRequested">The run pauses once its running steps have ended.</param>
/// <param name="CreatedAt">Creation.</param>
/// <param name="UpdatedAt">Last change.</param>
/// <param name="StartedAt">Start; null before.</param>
/// <param name="CompletedAt">End; null before.</param>
/// <param name="CurrentStep">The step that is under way; null: none.</param>
internal sealed record InstanceMetaDto(
    [property: JsonPropertyName("workflowName")] string WorkflowName,
    [property: JsonPropertyName("runNumber")] int RunNumber,
    [property: JsonPropertyName("runGeneration")] int RunGeneration,
    [property: JsonPropertyName("params")] JsonElement Params,
    [property: JsonPropertyName("pauseRequested")] bool PauseRequested,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt,
    [property: JsonPropertyName("updatedAt")] DateTimeOffset UpdatedAt,
    [property: JsonPropertyName("startedAt")] DateTimeOffset? StartedAt,
    [property: JsonPropertyName("completedAt")] DateTimeOffset? CompletedAt,
    [property: JsonPropertyName("currentStep")] CurrentStepDto? CurrentStep);

/// <summary>A step.</summary>
internal record CurrentStepDto
{
    /// <summary>Key of the step: its name.</summary>
    [JsonPropertyName("stepKey")]
    public required string ReportedStep { get; init; }

    /// <summary>Name of the step.</summary>
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>Kind of the step.</summary>
    [JsonPropertyName("type"), Words("do", "sleep", "waitForEvent")]
    public required string Type { get; init; }

    /// <summary>State of the step.</summary>
    [JsonPropertyName("status"), Words("running", "completed", "errored", "waiting")]
    public required string Status { get; init; }

    /// <summary>Attempts that have begun; of a wait 1 when it was served at once.</summary>
    [JsonPropertyName("attempts")]
    public int Attempts { get; init; }

    /// <summary>Attempts that the policy allows.</summary>
    [JsonPropertyName("maxAttempts")]
    public int MaxAttempts { get; init; }

    /// <summary>Limit of an attempt or a wait, in milliseconds; null: none.</summary>
    [JsonPropertyName("timeoutMs")]
    public long? TimeoutMs { get; init; }

    /// <summary>When the next attempt may begin; null: no retry is due.</summary>
    [JsonPropertyName("nextRetryAt")]
    public DateTimeOffset? NextRetryAt { get; init; }

    /// <summary>End of the sleep or wait; null: none.</summary>
    [JsonPropertyName("wakeAt")]
    public DateTimeOffset? WakeAt { get; init; }

    /// <summary>Event type of a wait; null for other steps.</summary>
    [JsonPropertyName("waitEventType")]
    public string? WaitEventType { get; init; }

    /// <summary>Failure of the last attempt.</summary>
    [JsonPropertyName("error")]
    public StepErrorDto? Error { get; init; }
}

/// <summary>A step that has begun.</summary>
internal sealed record HistoryStepDto : CurrentStepDto
{
    /// <summary>Id of the row.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    /// <summary>Number of the run.</summary>
    [JsonPropertyName("runNumber")]
    public int RunNumber { get; init; }

    /// <summary>Result, as it was reported; null before.</summary>
    [JsonPropertyName("result")]
    public JsonElement? Result { get; init; }

    /// <summary>Always null.</summary>
    [JsonPropertyName("parentStepKey")]
    public string? ParentStepKey { get; init; }

    /// <summary>Always 0.</summary>
    [JsonPropertyName("depth")]
    public int Depth { get; init; }

    /// <summary>Begin of the step, or when it was queued.</summary>
    [JsonPropertyName("createdAt")]
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change.</summary>
    [JsonPropertyName("updatedAt")]
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>An event that was sent to the run.</summary>
/// <param name="Id">Id of the event.</param>
/// <param name="RunNumber">Number of the run.</param>
/// <param name="Type">Event type.</param>
/// <param name="Payload">Payload, as it was sent.</param>
/// <param name="CreatedAt">Arrival.</param>
/// <param name="DeliveredAt">When a step took it; null before.</param>
/// <param name="ConsumedByStepKey">Key of the step that took it; null before.</param>
internal sealed record HistoryEventDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("runNumber")] int RunNumber,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("payload")] JsonElement? Payload,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt,
    [property: JsonPropertyName("deliveredAt")] DateTimeOffset? DeliveredAt,
    [property: JsonPropertyName("consumedByStepKey")] string? ConsumedByStepKey);

/// <summary>A line that a worker logged.</summary>
/// <param name="Id">Id of the line.</param>
/// <param name="RunNumber">Number of the run.</param>
/// <param name="ReportedStep">Key of the step.</param>
/// <param name="Attempt">Attempt, from 1.</param>
/// <param name="Level">Level.</param>
/// <param name="Category">Category.</param>
/// <param name="Message">Text.</param>
/// <param name="Data">Further data.</param>
/// <param name="IsReplay">Always false.</param>
/// <param name="CreatedAt">When the line was stored.</param>
internal sealed record HistoryLogDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("runNumber")] int RunNumber,
    [property: JsonPropertyName("stepKey")] string? ReportedStep,
    [property: JsonPropertyName("attempt")] int? Attempt,
    [property: JsonPropertyName("level"), Words("debug", "info", "warn", "error")] string Level,
    [property: JsonPropertyName("category")] string Category,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("data")] JsonElement? Data,
    [property: JsonPropertyName("isReplay")] bool IsReplay,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt);

/// <summary>Happenings of one run. Each list has its own cursor; logs are there only with includeLogs=true.</summary>
internal sealed record InstanceHistoryDto
{
    /// <summary>Number of the run.</summary>
    [JsonPropertyName("runNumber")]
    public long RunNumber { get; init; }

    /// <summary>Steps that have begun or may.</summary>
    [JsonPropertyName("steps")]
    public required IReadOnlyList<HistoryStepDto> Steps { get; init; }

    /// <summary>Events that were sent to the run.</summary>
    [JsonPropertyName("events")]
    public required IReadOnlyList<HistoryEventDto> Events { get; init; }

    /// <summary>Always empty.</summary>
    [JsonPropertyName("emissions")]
    public required IReadOnlyList<JsonElement> Emissions { get; init; }

    /// <summary>Log lines; only with <c>includeLogs=true</c>.</summary>
    [JsonPropertyName("logs")]
    public IReadOnlyList<HistoryLogDto>? Logs { get; init; }

    /// <summary>Cursor of the next page of steps.</summary>
    [JsonPropertyName("stepsCursor")]
    public string? StepsCursor { get; init; }

    /// <summary>There are further steps.</summary>
    [JsonPropertyName("stepsHasNextPage")]
    public bool StepsHasNextPage { get; init; }

    /// <summary>Cursor of the next page of events.</summary>
    [JsonPropertyName("eventsCursor")]
    public string? EventsCursor { get; init; }

    /// <summary>There are further events.</summary>
    [JsonPropertyName("eventsHasNextPage")]
    public bool EventsHasNextPage { get; init; }

    /// <summary>Cursor of the next page of lines.</summary>
    [JsonPropertyName("logsCursor")]
    public string? LogsCursor { get; init; }

    /// <summary>There are further lines.</summary>
    [JsonPropertyName("logsHasNextPage")]
    public bool? LogsHasNextPage { get; init; }
}

/// <summary>The command was carried out.</summary>
/// <param name="Ok">Always true.</param>
internal sealed record OkDto([property: JsonPropertyName("ok")] bool Ok);

/// <summary>An event.</summary>
/// <param name="Type">Event type: 1 to 128 letters, digits, _, -, . and :.</param>
/// <param name="Payload">Any JSON.</param>
/// <param name="Id">Extension: the sender's id; sent again to the same run, the event is taken once.</param>
internal sealed record SendEventDto(
    [property: JsonPropertyName("type")] string Type, [property: JsonPropertyName("payload")] JsonElement? Payload,
    [property: JsonPropertyName("id")] string? Id);

/// <summary>Outcome of an event.</summary>
/// <param name="Status">Status before the event took effect.</param>
/// <param name="Accepted">Always true.</param>
internal sealed record EventStatusDto(
    [property: JsonPropertyName("status")] StatusDetailsDto Status, [property: JsonPropertyName("accepted")] bool Accepted);

/// <summary>Bounds of one tick.</summary>
/// <param name="MaxInstances">Most instances to advance.</param>
/// <param name="MaxSteps">Most steps to advance.</param>
internal sealed record TickDto(
    [property: JsonPropertyName("maxInstances")] int? MaxInstances, [property: JsonPropertyName("maxSteps")] int? MaxSteps);

/// <summary>Outcome of a tick.</summary>
/// <param name="Processed">Instances that were advanced.</param>
internal sealed record TickedDto([property: JsonPropertyName("processed")] int Processed);

/// <summary>Why a request was refused.</summary>
/// <param name="Error">Repeats the message where the refusal is none of a route's own: clients read either.</param>
/// <param name="Message">The fault, for people.</param>
/// <param name="Code">Stable word of the kind of fault.</param>
/// <param name="Issues">Every fault of a wrong request.</param>
internal sealed record InstanceErrorDto(
    [property: JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("issues"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<InstanceIssueDto>? Issues);

/// <summary>A fault of a request.</summary>
/// <param name="Path">Member names and list indexes that lead to it.</param>
/// <param name="Message">The expectation at that place.</param>
/// <param name="Code">Kind of the fault.</param>
internal sealed record InstanceIssueDto(
    [property: JsonPropertyName("path")] IReadOnlyList<object> Path,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("code"), Words("invalid_type", "invalid_value", "invalid_format", "too_big", "too_small", "custom")] string Code);
