using System.Text.Json;
using System.Text.Json.Serialization;

namespace Broker.Api.BrokerDialect;

// The forms of requests and answers. Requests are read by hand; so are assignments written, on the hot path.

/// <summary>A policy. <c>retry</c> and <c>timeout</c> are carried out inside the worker; the broker derives lease lengths from them.</summary>
internal sealed record PolicySchema(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("config")] IReadOnlyDictionary<string, JsonElement>? Config);

/// <summary>A step of a workflow. Further keys turn it into a wait or a sleep, or give it retries, labels and a priority.</summary>
internal sealed record StepSchema(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("successors")] IReadOnlyDictionary<string, string[]>? Successors,
    [property: JsonPropertyName("predecessors")] string[]? Predecessors,
    [property: JsonPropertyName("or_groups")] IReadOnlyDictionary<string, string[]>? OrGroups,
    [property: JsonPropertyName("policies")] PolicySchema[]? Policies,
    [property: JsonPropertyName("when")] string? When,
    [property: JsonPropertyName("optional")] bool? Optional,
    [property: JsonPropertyName("timeouts")] StepLimits? Timeouts = null);

/// <summary>Limits of a step in milliseconds: of its wait for a worker, of one attempt, of all of its time.</summary>
internal sealed record StepLimits(
    [property: JsonPropertyName("queue_ms")] long? QueueMs,
    [property: JsonPropertyName("attempt_ms")] long? AttemptMs,
    [property: JsonPropertyName("total_ms")] long? TotalMs);

/// <summary>Limit of a run in milliseconds.</summary>
internal sealed record RunLimit([property: JsonPropertyName("run_ms")] long? RunMs);

/// <summary>A workflow: identity (<c>workflow_id</c>, <c>version</c>) and graph of steps.</summary>
internal sealed record WorkflowSchema(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("version")] string Version,
    [property: JsonPropertyName("steps")] IReadOnlyDictionary<string, StepSchema> Steps,
    [property: JsonPropertyName("outputs")] string[]? Outputs,
    [property: JsonPropertyName("policies")] PolicySchema[]? Policies,
    [property: JsonPropertyName("timeouts")] RunLimit? Timeouts = null);

/// <summary>Where workflow code lives, and what is needed to fetch it.</summary>
internal sealed record RepositoryInfo(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("workflows")] IReadOnlyList<string> Workflows,
    [property: JsonPropertyName("credentials")] IReadOnlyDictionary<string, string> Credentials);

/// <summary>The same as it is registered: a repository that needs no credentials names none.</summary>
internal sealed record RepositoryRegistration(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("workflows")] string[] Workflows,
    [property: JsonPropertyName("credentials")] IReadOnlyDictionary<string, string>? Credentials);

/// <summary>A workflow that a repository holds.</summary>
internal sealed record RepositoryWorkflow(
    [property: JsonPropertyName("repository")] string Repository,
    [property: JsonPropertyName("workflow")] string Workflow);

/// <summary>The step that a worker reported last.</summary>
internal sealed record LastTask(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("success")] bool Success);

/// <summary>A worker seen within the worker timeout. Times are seconds since 1970.</summary>
internal sealed record WorkerInfo(
    [property: JsonPropertyName("worker_id")] string WorkerId,
    [property: JsonPropertyName("connected_at")] EpochSeconds ConnectedAt,
    [property: JsonPropertyName("last_seen")] EpochSeconds LastSeen,
    [property: JsonPropertyName("last_task")] LastTask? LastTask);

/// <summary>
/// A run to start. Extensions: no step is handed out before <c>start_at</c>, or for <c>delay_ms</c>; <c>priority</c> (-1000 to 1000) is added to
/// that of each step; after <c>run_ms</c> the run fails.
/// </summary>
internal sealed record Dispatch(
    [property: JsonPropertyName("workflow")] WorkflowSchema Workflow,
    [property: JsonPropertyName("inputs")] IReadOnlyDictionary<string, JsonElement>? Inputs,
    [property: JsonPropertyName("start_at")] DateTimeOffset? StartAt = null,
    [property: JsonPropertyName("delay_ms")] long? DelayMs = null,
    [property: JsonPropertyName("priority")] int? Priority = null,
    [property: JsonPropertyName("run_ms")] long? RunMs = null);

/// <summary>What a step works on. <c>context</c> is there only with <c>extras=true</c>, <c>events</c> only for a step whose worker registered that it accepts events.</summary>
internal sealed record StepPayload(
    [property: JsonPropertyName("workflow_inputs")] JsonElement WorkflowInputs,
    [property: JsonPropertyName("results")] IReadOnlyDictionary<string, JsonElement> Results,
    [property: JsonPropertyName("context")] IReadOnlyDictionary<string, JsonElement>? Context,
    [property: JsonPropertyName("events")] JsonElement[]? Events = null);

/// <summary>
/// A step handed to a worker. <c>version</c> and what follows it are there only with <c>extras=true</c>: <c>deadline</c> where the attempt has a
/// limit, <c>progress</c> where an earlier attempt sent some with a heartbeat.
/// </summary>
internal sealed record StepAssignment(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("payload")] StepPayload Payload,
    [property: JsonPropertyName("assigned_at")] double AssignedAt,
    [property: JsonPropertyName("expires_at")] double ExpiresAt,
    [property: JsonPropertyName("version")] string? Version,
    [property: JsonPropertyName("lease_id")] Guid? LeaseId,
    [property: JsonPropertyName("lease_secs")] int? LeaseSecs,
    [property: JsonPropertyName("attempt")] int? Attempt,
    [property: JsonPropertyName("traceparent")] string? TraceParent = null,
    [property: JsonPropertyName("deadline")] double? Deadline = null,
    [property: JsonPropertyName("progress")] JsonElement? Progress = null);

/// <summary>An event for the run's stream.</summary>
internal sealed record StepEvent(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("value")] IReadOnlyDictionary<string, JsonElement>? Value);

/// <summary>A log line of a step: level is debug, info, warn or error.</summary>
internal sealed record StepLogLine(
    [property: JsonPropertyName("level")] string? Level,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("category")] string? Category,
    [property: JsonPropertyName("data")] JsonElement? Data);

/// <summary>
/// How a step ended: SUCCEEDED, SKIPPED, FAILED, CANCELLED (PENDING and RUNNING count as FAILED), or POSTPONED: it is handed out again after
/// <c>delay_ms</c>, charged nothing. Of a failure the result may be a string or <c>{"name", "message", "retryable", "exit_code"}</c>, and
/// <c>retry_after_ms</c> the pause before its retry. <c>events</c>, <c>logs</c>, <c>context</c> and <c>lease_id</c> are extensions too: a report
/// with a <c>lease_id</c> counts under that lease only, one without it under the lease that the worker holds.
/// An array of reports is answered with an array of verdicts.
/// </summary>
internal sealed record StepOutcome(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("state")] string State,
    [property: JsonPropertyName("result")] JsonElement? Result,
    [property: JsonPropertyName("events")] StepEvent[]? Events,
    [property: JsonPropertyName("logs")] StepLogLine[]? Logs,
    [property: JsonPropertyName("context")] IReadOnlyDictionary<string, JsonElement>? Context,
    [property: JsonPropertyName("lease_id")] Guid? LeaseId = null,
    [property: JsonPropertyName("delay_ms")] long? DelayMs = null,
    [property: JsonPropertyName("retry_after_ms")] long? RetryAfterMs = null);

/// <summary>What became of a report: accepted, stale, cancelled, unknown_instance or unknown_step.</summary>
internal sealed record StepVerdict(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("accepted")] bool Accepted,
    [property: JsonPropertyName("verdict")] string Verdict);

/// <summary>Answer to reports with <c>claim</c> in the query; an array of reports without it is answered with the verdicts alone.</summary>
internal sealed record ReportsAndClaims(
    [property: JsonPropertyName("results")] StepVerdict[] Results,
    [property: JsonPropertyName("assignments")] StepAssignment[] Assignments);

/// <summary>
/// A step that the calling worker holds; with <c>lease_id</c>: under that lease. A heartbeat may carry <c>progress</c>: any JSON up to 64 KiB, which
/// the next attempt is given.
/// </summary>
internal sealed record HeldStep(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("lease_id")] Guid? LeaseId = null,
    [property: JsonPropertyName("progress")] JsonElement? Progress = null);

/// <summary>
/// What a heartbeat found: renewed, cancelled (renewed, but the worker should stop) or gone (the lease is lost, or the attempt has reached its
/// limit). <c>paused</c>: renewed, and the run is paused or about to be.
/// </summary>
internal sealed record HeldStepVerdict(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("renewed")] bool Renewed,
    [property: JsonPropertyName("verdict")] string Verdict,
    [property: JsonPropertyName("paused")] bool Paused);

/// <summary>Events published while a step runs; with <c>lease_id</c>: only while that lease is the step's current one.</summary>
internal sealed record StepPublication(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("events")] StepEvent[] Events,
    [property: JsonPropertyName("lease_id")] Guid? LeaseId = null);

/// <summary>The broker answers.</summary>
internal sealed record StatusInfo([property: JsonPropertyName("status")] string Status);

/// <summary>What is wrong with one member of a request.</summary>
internal sealed record RequestProblem(
    [property: JsonPropertyName("path")] string Path,
    [property: JsonPropertyName("message")] string Message);

/// <summary>Why a request was refused; of a wrong body every problem is listed.</summary>
internal sealed record RequestRefused(
    [property: JsonPropertyName("detail")] string Detail,
    [property: JsonPropertyName("problems"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<RequestProblem>? Problems);
