using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Http;

namespace Broker.Api.InstancesDialect;

// The forms of requests and answers. Requests are read by hand; so are lists and histories written, row by row.

/// <summary>Registered workflows in order of registration.</summary>
internal sealed record WorkflowNamesDto([property: JsonPropertyName("workflows")] IReadOnlyList<WorkflowNameDto> Workflows);

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

/// <summary>Instances to start, each with its id; at most 100.</summary>
internal sealed record CreateInstancesDto([property: JsonPropertyName("instances")] IReadOnlyList<CreateInstanceDto> Instances);

/// <summary>Where an instance is.</summary>
internal sealed record StatusDetailsDto
{
    /// <summary>queued, running, paused, errored, terminated, complete, waiting or waitingForPause.</summary>
    [JsonPropertyName("status")]
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

internal sealed record StepErrorDto([property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("message")] string Message);

internal sealed record InstanceStatusDto(
    [property: JsonPropertyName("id")] string Id, [property: JsonPropertyName("details")] StatusDetailsDto Details);

/// <summary>The instances that were started, in order of the request.</summary>
internal sealed record InstanceStatusesDto([property: JsonPropertyName("instances")] IReadOnlyList<InstanceStatusDto> Instances);

internal sealed record ListedInstanceDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("details")] StatusDetailsDto Details,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt);

/// <summary>A page of instances. The cursor, under both names, is there only with a further page.</summary>
internal sealed record InstancePageDto(
    [property: JsonPropertyName("instances")] IReadOnlyList<ListedInstanceDto> Instances,
    [property: JsonPropertyName("cursor")] string? Cursor,
    [property: JsonPropertyName("nextCursor")] string? NextCursor,
    [property: JsonPropertyName("hasNextPage")] bool HasNextPage);

internal sealed record InstanceDetailsDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("details")] StatusDetailsDto Details,
    [property: JsonPropertyName("meta")] InstanceMetaDto Meta);

/// <summary>The current run of an instance.</summary>
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

/// <summary>A step; the type is do, sleep or waitForEvent, the status running, completed, errored or waiting.</summary>
internal record CurrentStepDto
{
    [JsonPropertyName("stepKey")]
    public required string ReportedStep { get; init; }

    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("type")]
    public required string Type { get; init; }

    [JsonPropertyName("status")]
    public required string Status { get; init; }

    [JsonPropertyName("attempts")]
    public int Attempts { get; init; }

    [JsonPropertyName("maxAttempts")]
    public int MaxAttempts { get; init; }

    [JsonPropertyName("timeoutMs")]
    public long? TimeoutMs { get; init; }

    [JsonPropertyName("nextRetryAt")]
    public DateTimeOffset? NextRetryAt { get; init; }

    [JsonPropertyName("wakeAt")]
    public DateTimeOffset? WakeAt { get; init; }

    [JsonPropertyName("waitEventType")]
    public string? WaitEventType { get; init; }

    [JsonPropertyName("error")]
    public StepErrorDto? Error { get; init; }
}

/// <summary>A step that has begun.</summary>
internal sealed record HistoryStepDto : CurrentStepDto
{
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    [JsonPropertyName("runNumber")]
    public int RunNumber { get; init; }

    [JsonPropertyName("result")]
    public JsonElement? Result { get; init; }

    /// <summary>Always null.</summary>
    [JsonPropertyName("parentStepKey")]
    public string? ParentStepKey { get; init; }

    /// <summary>Always 0.</summary>
    [JsonPropertyName("depth")]
    public int Depth { get; init; }

    [JsonPropertyName("createdAt")]
    public DateTimeOffset CreatedAt { get; init; }

    [JsonPropertyName("updatedAt")]
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>An event that was sent to the run.</summary>
internal sealed record HistoryEventDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("runNumber")] int RunNumber,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("payload")] JsonElement? Payload,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt,
    [property: JsonPropertyName("deliveredAt")] DateTimeOffset? DeliveredAt,
    [property: JsonPropertyName("consumedByStepKey")] string? ConsumedByStepKey);

/// <summary>A line that a worker logged.</summary>
internal sealed record HistoryLogDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("runNumber")] int RunNumber,
    [property: JsonPropertyName("stepKey")] string? ReportedStep,
    [property: JsonPropertyName("attempt")] int? Attempt,
    [property: JsonPropertyName("level")] string Level,
    [property: JsonPropertyName("category")] string Category,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("data")] JsonElement? Data,
    [property: JsonPropertyName("isReplay")] bool IsReplay,
    [property: JsonPropertyName("createdAt")] DateTimeOffset CreatedAt);

/// <summary>What happened in one run. Each list has its own cursor; logs are there only with includeLogs=true.</summary>
internal sealed record InstanceHistoryDto
{
    [JsonPropertyName("runNumber")]
    public long RunNumber { get; init; }

    [JsonPropertyName("steps")]
    public required IReadOnlyList<HistoryStepDto> Steps { get; init; }

    [JsonPropertyName("events")]
    public required IReadOnlyList<HistoryEventDto> Events { get; init; }

    /// <summary>Always empty.</summary>
    [JsonPropertyName("emissions")]
    public required IReadOnlyList<JsonElement> Emissions { get; init; }

    [JsonPropertyName("logs")]
    public IReadOnlyList<HistoryLogDto>? Logs { get; init; }

    [JsonPropertyName("stepsCursor")]
    public string? StepsCursor { get; init; }

    [JsonPropertyName("stepsHasNextPage")]
    public bool StepsHasNextPage { get; init; }

    [JsonPropertyName("eventsCursor")]
    public string? EventsCursor { get; init; }

    [JsonPropertyName("eventsHasNextPage")]
    public bool EventsHasNextPage { get; init; }

    [JsonPropertyName("logsCursor")]
    public string? LogsCursor { get; init; }

    [JsonPropertyName("logsHasNextPage")]
    public bool? LogsHasNextPage { get; init; }
}

internal sealed record OkDto([property: JsonPropertyName("ok")] bool Ok);

/// <summary>
/// An event: the type is 1 to 128 letters, digits, _, -, . and :; the payload any JSON. With an id, one that is sent again to the same run is taken
/// once.
/// </summary>
internal sealed record SendEventDto(
    [property: JsonPropertyName("type")] string Type, [property: JsonPropertyName("payload")] JsonElement? Payload,
    [property: JsonPropertyName("id")] string? Id);

/// <summary>The status before the event took effect.</summary>
internal sealed record EventStatusDto(
    [property: JsonPropertyName("status")] StatusDetailsDto Status, [property: JsonPropertyName("accepted")] bool Accepted);

/// <summary>Bounds of one tick.</summary>
internal sealed record TickDto(
    [property: JsonPropertyName("maxInstances")] int? MaxInstances, [property: JsonPropertyName("maxSteps")] int? MaxSteps);

/// <summary>How many instances were advanced.</summary>
internal sealed record TickedDto([property: JsonPropertyName("processed")] int Processed);

/// <summary>Why a request was refused. <c>error</c> repeats the message where the refusal is none of a route's own: clients read either.</summary>
internal sealed record InstanceErrorDto(
    [property: JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("issues"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<InstanceIssueDto>? Issues);

/// <summary>What is wrong: where, and what was expected there.</summary>
internal sealed record InstanceIssueDto(
    [property: JsonPropertyName("path")] IReadOnlyList<object> Path,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("code")] string Code);
