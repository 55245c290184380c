using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Operators;

namespace Broker.Api.BrokerDialect;

// The forms of requests and answers. Requests are read by hand; so are assignments written, on the hot path.

/// <summary>A policy. <c>retry</c> and <c>timeout</c> are carried out inside the worker; the broker derives lease lengths from them.</summary>
/// <param name="Name">Name of the policy.</param>
/// <param name="Config">Its settings: <c>max_retries</c> and <c>wait</c> of retry, <c>seconds</c> of timeout.</param>
internal sealed record PolicySchema(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("config")] IReadOnlyDictionary<string, JsonElement>? Config);

/// <summary>A step of a workflow. The members behind <c>policies</c> are extensions; null counts as left out.</summary>
/// <param name="Name">The step's key in the workflow.</param>
/// <param name="Successors">Names of steps that follow, by the result that leads to them; <c>default</c> for any other.</param>
/// <param name="Predecessors">Names of steps that must finish before.</param>
/// <param name="OrGroups">Groups of predecessors of which one is enough.</param>
/// <param name="Policies">Policies that the worker carries out.</param>
/// <param name="Kind">Workers claim a task and the items of a map; the broker finishes waits and sleeps. Task when left out.</param>
/// <param name="Event">Event type that a <c>waitForEvent</c> takes.</param>
/// <param name="TimeoutMs">Limit in milliseconds: of a wait (1,000 or more, one day when left out), or of one attempt of a task.</param>
/// <param name="DurationMs">Length of a <c>sleep</c>, in milliseconds.</param>
/// <param name="DependsOn">Names of steps that must succeed before, in place of <c>predecessors</c>.</param>
/// <param name="When">success (when left out), failure, always or an expression; decided once the steps above have ended.</param>
/// <param name="Optional">Its failure does not fail the run.</param>
/// <param name="FailFast">Name of a group of steps: the first failure among them cancels the others.</param>
/// <param name="Command">Shell text, for workers that claim by label.</param>
/// <param name="RequiredLabels">Labels that a claim must carry.</param>
/// <param name="Priority">-1,000 to 1,000; higher is handed out first.</param>
/// <param name="RetryPolicy">Retries by the broker.</param>
/// <param name="Retries">Retries by the broker, in another spelling.</param>
/// <param name="LeaseTtlSecs">Length of a lease in seconds, 1 to 86,400.</param>
/// <param name="Timeouts">Limits that the broker enforces.</param>
/// <param name="Emits">Event types that the step publishes.</param>
/// <param name="Accepts">Event types that the step takes.</param>
/// <param name="Items">Place of the list of a <c>map</c>: results.STEP, results.STEP.MEMBER or inputs.NAME.</param>
/// <param name="Item">The task that a <c>map</c> runs for each value of its list.</param>
/// <param name="MaxParallel">Items of a <c>map</c> that are open at the same time, 1 to 1,000; 1,000 when left out.</param>
/// <param name="Tolerate">Failures with which a <c>map</c> succeeds; none when left out.</param>
/// <param name="Collect">Value that a <c>map</c> gives on; results when left out.</param>
internal sealed record StepSchema(
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("successors")] IReadOnlyDictionary<string, string[]>? Successors,
    [property: JsonPropertyName("predecessors")] string[]? Predecessors,
    [property: JsonPropertyName("or_groups")] IReadOnlyDictionary<string, string[]>? OrGroups,
    [property: JsonPropertyName("policies")] PolicySchema[]? Policies,
    [property: JsonPropertyName("kind"), Words("task", "waitForEvent", "sleep", "map")] string? Kind = null,
    [property: JsonPropertyName("event")] string? Event = null,
    [property: JsonPropertyName("timeout_ms")] long? TimeoutMs = null,
    [property: JsonPropertyName("duration_ms")] long? DurationMs = null,
    [property: JsonPropertyName("depends_on")] string[]? DependsOn = null,
    [property: JsonPropertyName("when")] string? When = null,
    [property: JsonPropertyName("optional")] bool? Optional = null,
    [property: JsonPropertyName("fail_fast")] string? FailFast = null,
    [property: JsonPropertyName("command")] string? Command = null,
    [property: JsonPropertyName("required_labels")] string[]? RequiredLabels = null,
    [property: JsonPropertyName("priority")] int? Priority = null,
    [property: JsonPropertyName("retry_policy")] RetryPolicyForm? RetryPolicy = null,
    [property: JsonPropertyName("retries")] RetriesForm? Retries = null,
    [property: JsonPropertyName("lease_ttl_secs")] int? LeaseTtlSecs = null,
    [property: JsonPropertyName("timeouts")] StepTimeoutsForm? Timeouts = null,
    [property: JsonPropertyName("emits")] string[]? Emits = null,
    [property: JsonPropertyName("accepts")] string[]? Accepts = null,
    [property: JsonPropertyName("items")] string? Items = null,
    [property: JsonPropertyName("item")] MapItemForm? Item = null,
    [property: JsonPropertyName("max_parallel")] int? MaxParallel = null,
    [property: JsonPropertyName("tolerate")] MapToleranceForm? Tolerate = null,
    [property: JsonPropertyName("collect"), Words("results", "summary", "none")] string? Collect = null);

/// <summary>A workflow: identity and graph of steps. The members behind <c>policies</c> are extensions.</summary>
/// <param name="WorkflowId">Name, 1 to 200 characters.</param>
/// <param name="Version">Version, 1 to 200 characters; "1" when left out.</param>
/// <param name="Steps">Steps by name.</param>
/// <param name="Outputs">Names of steps whose results are the run's; those without successors when left out.</param>
/// <param name="Policies">Policies of the whole workflow.</param>
/// <param name="StartEvent">Name of the event that starts a run.</param>
/// <param name="StopEvent">Name of the event that carries the final value.</param>
/// <param name="Events">Events by name.</param>
/// <param name="Inputs">Inputs by name; left out: a start may give any object.</param>
/// <param name="Timeouts">Limit of a run.</param>
/// <param name="MaxLeaseLosses">Leases that a step may lose before it fails, 0 to 1,000; 3 when left out.</param>
internal sealed record WorkflowSchema(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("version")] string? Version,
    [property: JsonPropertyName("steps")] IReadOnlyDictionary<string, StepSchema> Steps,
    [property: JsonPropertyName("outputs")] string[]? Outputs,
    [property: JsonPropertyName("policies")] PolicySchema[]? Policies,
    [property: JsonPropertyName("start_event")] string? StartEvent = null,
    [property: JsonPropertyName("stop_event")] string? StopEvent = null,
    [property: JsonPropertyName("events")] IReadOnlyDictionary<string, EventForm>? Events = null,
    [property: JsonPropertyName("inputs")] IReadOnlyDictionary<string, InputForm>? Inputs = null,
    [property: JsonPropertyName("timeouts")] RunTimeoutsForm? Timeouts = null,
    [property: JsonPropertyName("max_lease_losses")] int? MaxLeaseLosses = null);

/// <summary>Where workflow code lives, and what is needed to fetch it.</summary>
/// <param name="Name">Name of the repository.</param>
/// <param name="Url">Address of the code.</param>
/// <param name="Workflows">Workflows that it holds, as <c>module:name</c>.</param>
/// <param name="Credentials">Credentials by name; empty for keys without the scope of that name.</param>
internal sealed record RepositoryInfo(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("workflows")] IReadOnlyList<string> Workflows,
    [property: JsonPropertyName("credentials")] IReadOnlyDictionary<string, string> Credentials);

/// <summary>A repository to register.</summary>
/// <param name="Name">Name of the repository.</param>
/// <param name="Url">Address of the code.</param>
/// <param name="Workflows">Workflows that it holds, as <c>module:name</c>.</param>
/// <param name="Credentials">Credentials by name; left out where none are needed.</param>
internal sealed record RepositoryRegistration(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("workflows")] string[] Workflows,
    [property: JsonPropertyName("credentials")] IReadOnlyDictionary<string, string>? Credentials);

/// <summary>A workflow that a repository holds.</summary>
/// <param name="Repository">Name of the repository.</param>
/// <param name="Workflow">The workflow, as <c>module:name</c>.</param>
internal sealed record RepositoryWorkflow(
    [property: JsonPropertyName("repository")] string Repository,
    [property: JsonPropertyName("workflow")] string Workflow);

/// <summary>The step that a worker reported last.</summary>
/// <param name="WorkflowId">Name of the workflow.</param>
/// <param name="InstanceId">Id of the instance; of a later run with the run's number behind a dot.</param>
/// <param name="StepName">Name of the step.</param>
/// <param name="Success">It succeeded.</param>
internal sealed record LastTask(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("success")] bool Success);

/// <summary>A worker seen within the worker timeout.</summary>
/// <param name="WorkerId">Id that its registration was answered with.</param>
/// <param name="ConnectedAt">Registration, in seconds since 1970.</param>
/// <param name="LastSeen">Last sign of life, in seconds since 1970.</param>
/// <param name="LastTask">The step that it reported last; null before the first report.</param>
internal sealed record WorkerInfo(
    [property: JsonPropertyName("worker_id")] string WorkerId,
    [property: JsonPropertyName("connected_at")] EpochSeconds ConnectedAt,
    [property: JsonPropertyName("last_seen")] EpochSeconds LastSeen,
    [property: JsonPropertyName("last_task")] LastTask? LastTask);

/// <summary>A run to start. The members behind <c>inputs</c> are extensions.</summary>
/// <param name="Workflow">The workflow, whole.</param>
/// <param name="Inputs">Inputs of the run; an empty object when left out.</param>
/// <param name="StartAt">No step is handed out before.</param>
/// <param name="DelayMs">The same, in milliseconds from now.</param>
/// <param name="Priority">Added to the priority of each step, -1,000 to 1,000.</param>
/// <param name="RunMs">Milliseconds after which the run fails, in place of the workflow's limit.</param>
internal sealed record Dispatch(
    [property: JsonPropertyName("workflow")] WorkflowSchema Workflow,
    [property: JsonPropertyName("inputs")] IReadOnlyDictionary<string, JsonElement>? Inputs,
    [property: JsonPropertyName("start_at")] DateTimeOffset? StartAt = null,
    [property: JsonPropertyName("delay_ms")] long? DelayMs = null,
    [property: JsonPropertyName("priority")] int? Priority = null,
    [property: JsonPropertyName("run_ms")] long? RunMs = null);

/// <summary>Values that a step works on.</summary>
/// <param name="WorkflowInputs">Inputs of the run.</param>
/// <param name="Results">Results of the steps before it, by name.</param>
/// <param name="Context">Context of the run; only with <c>extras=true</c>.</param>
/// <param name="Events">Events that were sent to the run; only for a step that was registered with <c>accepts</c>.</param>
internal sealed record StepPayload(
    [property: JsonPropertyName("workflow_inputs")] JsonElement WorkflowInputs,
    [property: JsonPropertyName("results")] IReadOnlyDictionary<string, JsonElement> Results,
    [property: JsonPropertyName("context")] IReadOnlyDictionary<string, JsonElement>? Context,
    [property: JsonPropertyName("events")] JsonElement[]? Events = null);

/// <summary>A step handed to a worker. <c>version</c> and the members behind it are there only with <c>extras=true</c>.</summary>
/// <param name="WorkflowId">Name of the workflow.</param>
/// <param name="InstanceId">Id of the instance; of a later run with the run's number behind a dot.</param>
/// <param name="StepName">Name of the step.</param>
/// <param name="Payload">Values that the step works on.</param>
/// <param name="AssignedAt">Grant of the lease, in seconds since 1970.</param>
/// <param name="ExpiresAt">End of the lease, in seconds since 1970.</param>
/// <param name="Version">Version of the workflow.</param>
/// <param name="LeaseId">Id of the lease.</param>
/// <param name="LeaseSecs">Length of the lease, in seconds.</param>
/// <param name="Attempt">Retries that were used before.</param>
/// <param name="TraceParent">W3C trace context; where the run was started within a trace.</param>
/// <param name="Deadline">End of the attempt, in seconds since 1970; where it has a limit.</param>
/// <param name="Progress">Value that an earlier attempt sent with a heartbeat.</param>
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
/// <param name="Type">Event type, 1 to 200 characters.</param>
/// <param name="Value">Fields of the event; none when left out.</param>
internal sealed record StepEvent(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("value")] IReadOnlyDictionary<string, JsonElement>? Value);

/// <summary>A log line of a step.</summary>
/// <param name="Level">Level; info when left out.</param>
/// <param name="Message">Text.</param>
/// <param name="Category">Category, 1 to 200 characters; workflow when left out.</param>
/// <param name="Data">Any further JSON.</param>
internal sealed record StepLogLine(
    [property: JsonPropertyName("level"), Words("debug", "info", "warn", "error")] string? Level,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("category")] string? Category,
    [property: JsonPropertyName("data")] JsonElement? Data);

/// <summary>How a step ended. The members behind <c>result</c> are extensions.</summary>
/// <param name="WorkflowId">Name of the workflow.</param>
/// <param name="InstanceId">Id of the instance, as the assignment has it.</param>
/// <param name="StepName">Name of the step.</param>
/// <param name="State">PENDING and RUNNING count as FAILED. POSTPONED: the step is handed out again after <c>delay_ms</c>, charged nothing.</param>
/// <param name="Result">Result, any JSON. Of a failure a string, or <c>{"name", "message", "retryable", "exit_code"}</c>.</param>
/// <param name="Events">Events for the run's stream, at most 1,000.</param>
/// <param name="Logs">Log lines, at most 1,000.</param>
/// <param name="Context">Replaces the context of the run.</param>
/// <param name="LeaseId">The report counts under this lease only; left out: under the lease that the worker holds.</param>
/// <param name="DelayMs">With POSTPONED, and required there: milliseconds until the step is handed out again.</param>
/// <param name="RetryAfterMs">With FAILED: milliseconds before the retry, in place of the policy's pause.</param>
internal sealed record StepOutcome(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("state"), Words("SUCCEEDED", "SKIPPED", "FAILED", "CANCELLED", "POSTPONED", "PENDING", "RUNNING")] string State,
    [property: JsonPropertyName("result")] JsonElement? Result,
    [property: JsonPropertyName("events")] StepEvent[]? Events,
    [property: JsonPropertyName("logs")] StepLogLine[]? Logs,
    [property: JsonPropertyName("context")] IReadOnlyDictionary<string, JsonElement>? Context,
    [property: JsonPropertyName("lease_id")] Guid? LeaseId = null,
    [property: JsonPropertyName("delay_ms")] long? DelayMs = null,
    [property: JsonPropertyName("retry_after_ms")] long? RetryAfterMs = null);

/// <summary>Verdict on a report.</summary>
/// <param name="WorkflowId">Name of the workflow.</param>
/// <param name="InstanceId">Id of the instance, as the report has it.</param>
/// <param name="StepName">Name of the step.</param>
/// <param name="Accepted">The report was counted.</param>
/// <param name="Verdict">stale: the lease is lost. cancelled: the step was cancelled meanwhile.</param>
internal sealed record StepVerdict(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("accepted")] bool Accepted,
    [property: JsonPropertyName("verdict"), Words("accepted", "stale", "cancelled", "unknown_instance", "unknown_step")] string Verdict);

/// <summary>Answer to reports with <c>claim</c> in the query; an array of reports without it is answered with the verdicts alone.</summary>
/// <param name="Results">A verdict for each report, in order.</param>
/// <param name="Assignments">Steps that were claimed after the reports.</param>
internal sealed record ReportsAndClaims(
    [property: JsonPropertyName("results")] StepVerdict[] Results,
    [property: JsonPropertyName("assignments")] StepAssignment[] Assignments);

/// <summary>A step that the calling worker holds.</summary>
/// <param name="WorkflowId">Name of the workflow.</param>
/// <param name="InstanceId">Id of the instance, as the assignment has it.</param>
/// <param name="StepName">Name of the step.</param>
/// <param name="LeaseId">Only under this lease.</param>
/// <param name="Progress">With a heartbeat: any JSON up to 64 KiB, which the next attempt is given.</param>
internal sealed record HeldStep(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("lease_id")] Guid? LeaseId = null,
    [property: JsonPropertyName("progress")] JsonElement? Progress = null);

/// <summary>Outcome of a heartbeat.</summary>
/// <param name="WorkflowId">Name of the workflow.</param>
/// <param name="InstanceId">Id of the instance, as the heartbeat has it.</param>
/// <param name="StepName">Name of the step.</param>
/// <param name="Renewed">The lease was renewed.</param>
/// <param name="Verdict">cancelled: renewed, but the worker should stop. gone: the lease is lost, or the attempt has reached its limit.</param>
/// <param name="Paused">Renewed, and the run is paused or about to be.</param>
/// <param name="Code">Reason why the lease of a step that is gone does not count.</param>
internal sealed record HeldStepVerdict(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("renewed")] bool Renewed,
    [property: JsonPropertyName("verdict"), Words("renewed", "cancelled", "gone")] string Verdict,
    [property: JsonPropertyName("paused")] bool Paused,
    [property: JsonPropertyName("code"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), Words("lease_lost", "step_cancelled", "step_ended", "unknown_lease", "unknown_instance", "unknown_step")] string? Code = null);

/// <summary>Events published while a step runs.</summary>
/// <param name="WorkflowId">Name of the workflow.</param>
/// <param name="InstanceId">Id of the instance, as the assignment has it.</param>
/// <param name="StepName">Name of the step.</param>
/// <param name="Events">Events, at most 1,000.</param>
/// <param name="LeaseId">Only while this lease is the step's current one.</param>
internal sealed record StepPublication(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("step_name")] string StepName,
    [property: JsonPropertyName("events")] StepEvent[] Events,
    [property: JsonPropertyName("lease_id")] Guid? LeaseId = null);

/// <summary>The broker answers.</summary>
/// <param name="Status">Always ok.</param>
internal sealed record StatusInfo([property: JsonPropertyName("status"), Words("ok")] string Status);

/// <summary>A fault of one member of a request.</summary>
/// <param name="Path">Place of the member.</param>
/// <param name="Message">The expectation at that place.</param>
internal sealed record RequestProblem(
    [property: JsonPropertyName("path")] string Path,
    [property: JsonPropertyName("message")] string Message);

/// <summary>Why a request was refused.</summary>
/// <param name="Detail">The first fault, for people.</param>
/// <param name="Problems">Every fault of a wrong body.</param>
/// <param name="Code">Reason of a refusal that depends on the worker or on its lease.</param>
internal sealed record RequestRefused(
    [property: JsonPropertyName("detail")] string Detail,
    [property: JsonPropertyName("problems"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<RequestProblem>? Problems,
    [property: JsonPropertyName("code"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), Words("unknown_worker", "lease_lost", "step_cancelled", "step_ended", "unknown_lease", "unknown_instance", "unknown_step")] string? Code = null);
