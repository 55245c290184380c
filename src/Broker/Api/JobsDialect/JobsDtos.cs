using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Core.Runs;
using Broker.Http;

namespace Broker.Api.JobsDialect;

// The forms of requests and answers. Requests are read by hand; so are claims and workflows written, on the hot path and row by row.

/// <summary>A workflow with its jobs in order of definition.</summary>
internal sealed record WorkflowDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("trigger")] string Trigger,
    [property: JsonPropertyName("jobs")] JobDto[] Jobs);

/// <summary>A workflow to define: the id is made by the broker. Without inputs a start may give any object.</summary>
internal sealed record NewWorkflowDto(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("trigger")] string Trigger,
    [property: JsonPropertyName("jobs")] NewJobDto[] Jobs,
    [property: JsonPropertyName("inputs")] Dictionary<string, NewInputDto>? Inputs = null,
    [property: JsonPropertyName("timeouts")] RunTimeoutsDto? Timeouts = null);

/// <summary>
/// Retries after the first attempt. Jitter: the share of each pause, from 0 to 1, that is random. retry_on: the names of errors and exit codes after which
/// an attempt is repeated; no_retry_on: those after which it is not.
/// </summary>
internal sealed record NewRetryPolicyDto(
    [property: JsonPropertyName("max_retries")] int? MaxRetries,
    [property: JsonPropertyName("backoff")] JsonElement? Backoff,
    [property: JsonPropertyName("jitter")] double? Jitter,
    [property: JsonPropertyName("retry_on")] JsonElement[]? RetryOn,
    [property: JsonPropertyName("no_retry_on")] JsonElement[]? NoRetryOn);

/// <summary>Limit of a run, in milliseconds.</summary>
internal sealed record RunTimeoutsDto([property: JsonPropertyName("run_ms")] long? RunMs);

/// <summary>Limits of a job, in milliseconds: its wait for a worker, one attempt, and all of its time.</summary>
internal sealed record JobTimeoutsDto(
    [property: JsonPropertyName("queue_ms")] long? QueueMs,
    [property: JsonPropertyName("attempt_ms")] long? AttemptMs,
    [property: JsonPropertyName("total_ms")] long? TotalMs);

/// <summary>An input that starts may give. Type: string (default), number, boolean or choice, which has options. Without a default a missing one is "", 0 or false.</summary>
internal sealed record NewInputDto(
    [property: JsonPropertyName("type")] string? Type,
    [property: JsonPropertyName("required")] bool? Required,
    [property: JsonPropertyName("default")] JsonElement? Default,
    [property: JsonPropertyName("options")] string[]? Options,
    [property: JsonPropertyName("description")] string? Description);

/// <summary>
/// A job to define. when: success (default), failure, always or an expression, decided once the jobs that it depends on have ended. optional: its failure does not
/// fail the run.
/// </summary>
internal sealed record NewJobDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("status")] string? Status,
    [property: JsonPropertyName("command")] string Command,
    [property: JsonPropertyName("depends_on")] string[]? DependsOn,
    [property: JsonPropertyName("required_labels")] string[]? RequiredLabels,
    [property: JsonPropertyName("max_retries")] int? MaxRetries,
    [property: JsonPropertyName("retry_policy")] NewRetryPolicyDto? RetryPolicy,
    [property: JsonPropertyName("when")] string? When,
    [property: JsonPropertyName("optional")] bool? Optional,
    [property: JsonPropertyName("priority")] int? Priority,
    [property: JsonPropertyName("timeouts")] JobTimeoutsDto? Timeouts,
    [property: JsonPropertyName("metadata")] JsonElement? Metadata,
    [property: JsonPropertyName("ports")] PortDto[]? Ports,
    [property: JsonPropertyName("children")] NewJobDto[]? Children,
    [property: JsonPropertyName("collapsed")] bool? Collapsed);

/// <summary>A job and its state in the last run. Status: queued, running, success, failure, skipped or cancelled.</summary>
internal sealed record JobDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("command")] string Command,
    [property: JsonPropertyName("depends_on")] string[] DependsOn,
    [property: JsonPropertyName("duration_secs")] long? DurationSecs,
    [property: JsonPropertyName("started_at")] double? StartedAt,
    [property: JsonPropertyName("output")] string? Output,
    [property: JsonPropertyName("required_labels")] string[] RequiredLabels,
    [property: JsonPropertyName("max_retries")] int MaxRetries,
    [property: JsonPropertyName("attempt")] int Attempt,
    [property: JsonPropertyName("metadata")] JsonElement Metadata,
    [property: JsonPropertyName("ports")] PortDto[] Ports,
    [property: JsonPropertyName("children")] JobDto[]? Children,
    [property: JsonPropertyName("collapsed")] bool Collapsed);

/// <summary>
/// A start, all of it optional. inputs: what the workflow declares, else any object. id: the instance; absent, the one named like the workflow.
/// if_active: join (default), start or reject. tags: up to 16 strings or numbers. priority: added to that of each job. start_at: milliseconds or
/// an instant with offset; delay_ms: the same, counted from now. run_ms: limit of the run, in place of the workflow's.
/// </summary>
internal sealed record RunRequestDto(
    [property: JsonPropertyName("inputs")] Dictionary<string, JsonElement>? Inputs,
    [property: JsonPropertyName("id")] string? Id,
    [property: JsonPropertyName("if_active")] string? IfActive,
    [property: JsonPropertyName("tags")] Dictionary<string, JsonElement>? Tags,
    [property: JsonPropertyName("priority")] int? Priority,
    [property: JsonPropertyName("start_at")] JsonElement? StartAt,
    [property: JsonPropertyName("delay_ms")] long? DelayMs,
    [property: JsonPropertyName("run_ms")] long? RunMs);

/// <summary>The run of a start. Joined: it was active before, and nothing was started. The status URL is in <c>Location</c> too.</summary>
internal sealed record RunStartedDto(
    [property: JsonPropertyName("run")] int Run,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("joined")] bool Joined,
    [property: JsonPropertyName("status_url")] string StatusUrl);

/// <summary>A run: queued, running, success, failure or cancelled. Instants are milliseconds since 1970.</summary>
internal sealed record JobRunDto(
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("run")] int Run,
    [property: JsonPropertyName("inputs")] JsonPassThrough Inputs,
    [property: JsonPropertyName("tags")] JsonPassThrough Tags,
    [property: JsonPropertyName("start_at")] long? StartAt,
    [property: JsonPropertyName("started_at")] long? StartedAt,
    [property: JsonPropertyName("ended_at")] long? EndedAt,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("jobs")] RunJobDto[] Jobs);

/// <summary>A job of a run. Error: the text of a failed one. Logs and summary: the addresses of its lines and its markdown in this run.</summary>
internal sealed record RunJobDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("attempt")] int Attempt,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("logs")] string Logs,
    [property: JsonPropertyName("summary")] string Summary);

/// <summary>A cancel. <c>grace_ms</c>: 0 to 3,600,000, 0 by default; time for steps that clean up.</summary>
internal sealed record CancelRequestDto([property: JsonPropertyName("grace_ms")] int? GraceMs);

/// <summary>The runs that a cancel ended.</summary>
internal sealed record CancelledRunsDto([property: JsonPropertyName("cancelled")] IReadOnlyList<CancelledRunDto> Cancelled);

/// <summary>A cancelled run.</summary>
internal sealed record CancelledRunDto(
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("run")] int Run);

/// <summary>A workflow file of a broker on this database. Either it has a version, or an error says why it cannot be read.</summary>
internal sealed record WorkflowFileDto(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("file")] string File,
    [property: JsonPropertyName("folder")] string Folder,
    [property: JsonPropertyName("version")] string? Version,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("changed_at_ms")] long ChangedAtMs);

/// <summary>A connection point that renderers draw. Direction: input or output.</summary>
internal sealed record PortDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("label")] string Label,
    [property: JsonPropertyName("direction")] string Direction,
    [property: JsonPropertyName("port_type")] string PortType,
    [property: JsonPropertyName("color")] string? Color);

/// <summary>Retries after the first attempt. Backoff: "None", {"Fixed": {"delay_secs"}} or {"Exponential": {"base_secs", "max_secs"}}.</summary>
internal sealed record JobRetryPolicyDto(
    [property: JsonPropertyName("max_retries")] int MaxRetries,
    [property: JsonPropertyName("backoff")] JsonElement Backoff);

/// <summary>A worker and its labels; the id is of its own choice.</summary>
internal sealed record NewWorkerDto(
    [property: JsonPropertyName("worker_id")] string WorkerId,
    [property: JsonPropertyName("labels")] string[] Labels);

/// <summary>A worker as it is listed. Status: idle, busy or offline.</summary>
internal sealed record LabelledWorkerDto(
    [property: JsonPropertyName("worker_id")] string WorkerId,
    [property: JsonPropertyName("labels")] IReadOnlyList<string> Labels,
    [property: JsonPropertyName("registered_at_ms")] long RegisteredAtMs,
    [property: JsonPropertyName("last_heartbeat_ms")] long LastHeartbeatMs,
    [property: JsonPropertyName("current_job")] string? CurrentJob,
    [property: JsonPropertyName("status")] string Status);

/// <summary>A claim. Extensions: count (1 to 1000, the answer becomes an array), wait (seconds, up to 60), claim_id (the same again returns the same leases).</summary>
internal sealed record ClaimDto(
    [property: JsonPropertyName("worker_id")] string WorkerId,
    [property: JsonPropertyName("labels")] string[] Labels,
    [property: JsonPropertyName("lease_ttl_secs")] long? LeaseTtlSecs,
    [property: JsonPropertyName("count")] int? Count,
    [property: JsonPropertyName("wait")] int? Wait,
    [property: JsonPropertyName("claim_id")] string? ClaimId);

/// <summary>A claimed job and the lease it is held under.</summary>
internal sealed record ClaimedJobDto(
    [property: JsonPropertyName("job")] QueuedJobDto Job,
    [property: JsonPropertyName("lease")] JobLeaseDto Lease);

/// <summary>
/// What a worker needs to run a job: the outputs of each direct dependency among it. <c>traceparent</c> is there only when the run was
/// started within a trace. <c>steps</c> and <c>env</c> are there only for jobs of workflow files that have steps: the same work as
/// <c>command</c>, for workers that run each step as a script of its own. <c>inputs</c>, <c>run</c> and <c>instance_id</c> are those of the run. <c>progress</c> is there
/// where an earlier attempt sent some with a heartbeat.
/// </summary>
internal sealed record QueuedJobDto(
    [property: JsonPropertyName("job_id")] string JobId,
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("command")] string Command,
    [property: JsonPropertyName("required_labels")] string[] RequiredLabels,
    [property: JsonPropertyName("retry_policy")] JobRetryPolicyDto RetryPolicy,
    [property: JsonPropertyName("attempt")] int Attempt,
    [property: JsonPropertyName("upstream_outputs")] Dictionary<string, Dictionary<string, string>> UpstreamOutputs,
    [property: JsonPropertyName("enqueued_at_ms")] long EnqueuedAtMs,
    [property: JsonPropertyName("delayed_until_ms")] long DelayedUntilMs,
    [property: JsonPropertyName("steps")] JobStepDto[]? Steps = null,
    [property: JsonPropertyName("env")] Dictionary<string, string>? Env = null,
    [property: JsonPropertyName("inputs")] Dictionary<string, JsonElement>? Inputs = null,
    [property: JsonPropertyName("run")] int? Run = null,
    [property: JsonPropertyName("instance_id")] string? InstanceId = null,
    [property: JsonPropertyName("traceparent")] string? TraceParent = null,
    [property: JsonPropertyName("progress")] JsonElement? Progress = null);

/// <summary>A step of a job: shell text, what its heading says, and variables that are set from this step on.</summary>
internal sealed record JobStepDto(
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("run")] string Run,
    [property: JsonPropertyName("env")] Dictionary<string, string>? Env = null);

/// <summary>The right to report one attempt of one job. <c>deadline_ms</c> is there where the attempt has a limit.</summary>
internal sealed record JobLeaseDto(
    [property: JsonPropertyName("lease_id")] string LeaseId,
    [property: JsonPropertyName("job_id")] string JobId,
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("worker_id")] string WorkerId,
    [property: JsonPropertyName("ttl_secs")] long TtlSecs,
    [property: JsonPropertyName("granted_at_ms")] long GrantedAtMs,
    [property: JsonPropertyName("deadline_ms")] long? DeadlineMs = null);

/// <summary>Outputs of a job, handed to the jobs that depend on it. Extension: summary, markdown of 1 MiB at most that is shown with the job.</summary>
internal sealed record JobOutputsDto(
    [property: JsonPropertyName("outputs")] Dictionary<string, string>? Outputs,
    [property: JsonPropertyName("summary")] string? Summary = null);

/// <summary>
/// A failure; retried when it is retryable and retries are left. Extensions: <c>retry_after_ms</c>, the pause before the retry in place of the
/// policy's; <c>exit_code</c>, for policies that name exit codes (else the error text tells it: <c>exit code 3: …</c>).
/// </summary>
internal sealed record JobFailureDto(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("retryable")] bool? Retryable,
    [property: JsonPropertyName("summary")] string? Summary = null,
    [property: JsonPropertyName("retry_after_ms")] long? RetryAfterMs = null,
    [property: JsonPropertyName("exit_code")] int? ExitCode = null);

/// <summary>How long a job is put off.</summary>
internal sealed record JobPostponementDto([property: JsonPropertyName("delay_ms")] long DelayMs);

/// <summary>What a heartbeat may carry: any JSON up to 64 KiB, which the next attempt is given.</summary>
internal sealed record JobProgressDto([property: JsonPropertyName("progress")] JsonElement? Progress);

/// <summary>Reports of up to 1000 jobs, and what to claim after them.</summary>
internal sealed record CompleteJobsDto(
    [property: JsonPropertyName("results")] JobResultDto[] Results,
    [property: JsonPropertyName("claim")] ClaimDto? Claim);

/// <summary>One report: outputs for a success, an error for a failure, <c>postpone_ms</c> for a job that is put off.</summary>
internal sealed record JobResultDto(
    [property: JsonPropertyName("lease_id")] string LeaseId,
    [property: JsonPropertyName("outputs")] Dictionary<string, string>? Outputs,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("retryable")] bool? Retryable,
    [property: JsonPropertyName("summary")] string? Summary = null,
    [property: JsonPropertyName("retry_after_ms")] long? RetryAfterMs = null,
    [property: JsonPropertyName("exit_code")] int? ExitCode = null,
    [property: JsonPropertyName("postpone_ms")] long? PostponeMs = null);

/// <summary>A verdict for each report, in order, and the jobs claimed after them.</summary>
internal sealed record CompletedJobsDto(
    [property: JsonPropertyName("results")] JobVerdictDto[] Results,
    [property: JsonPropertyName("claimed")] ClaimedJobDto[] Claimed);

/// <summary>What became of a report. Verdict: accepted, cancelled (in order, changes nothing), stale (the lease is lost) or invalid (see error).</summary>
internal sealed record JobVerdictDto(
    [property: JsonPropertyName("lease_id")] string LeaseId,
    [property: JsonPropertyName("accepted")] bool Accepted,
    [property: JsonPropertyName("verdict")] string Verdict,
    [property: JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error);

/// <summary>Leases to renew, up to 1000, and for some of them progress: any JSON up to 64 KiB, which the next attempt is given.</summary>
internal sealed record LeaseIdsDto(
    [property: JsonPropertyName("lease_ids")] string[] LeaseIds,
    [property: JsonPropertyName("progress")] IReadOnlyDictionary<string, JsonElement>? Progress = null);

/// <summary>What was found for each lease, in order.</summary>
internal sealed record RenewedLeasesDto([property: JsonPropertyName("results")] IReadOnlyList<RenewedLeaseDto> Results);

/// <summary>
/// Not alive, or lost: the lease is gone, or the attempt has reached its limit. Cancelled: it was renewed, but the job should be stopped. Paused:
/// it was renewed, and the run is paused or about to be.
/// </summary>
internal sealed record RenewedLeaseDto(
    [property: JsonPropertyName("lease_id")] string LeaseId,
    [property: JsonPropertyName("alive")] bool Alive,
    [property: JsonPropertyName("cancelled")] bool Cancelled,
    [property: JsonPropertyName("paused")] bool Paused,
    [property: JsonPropertyName("lost")] bool Lost)
{
    public static RenewedLeaseDto Of(string lease, HeartbeatVerdict verdict) => new(
        lease,
        verdict is not HeartbeatVerdict.Gone,
        verdict is HeartbeatVerdict.Cancelled,
        verdict is HeartbeatVerdict.Paused,
        verdict is HeartbeatVerdict.Gone);
}

/// <summary>Log chunks, filed under the names in each.</summary>
internal sealed record LogChunksDto([property: JsonPropertyName("chunks")] LogChunkDto[] Chunks);

/// <summary>A piece of a job's output. Stream: stdout or stderr.</summary>
internal sealed record LogChunkDto(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("job_id")] string JobId,
    [property: JsonPropertyName("sequence")] long Sequence,
    [property: JsonPropertyName("data")] string Data,
    [property: JsonPropertyName("timestamp_ms")] long TimestampMs,
    [property: JsonPropertyName("stream")] string Stream,
    [property: JsonPropertyName("run"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Run = null,
    [property: JsonPropertyName("attempt")] int? Attempt = null);

/// <summary>Why a request was refused, and the member that is to blame.</summary>
internal sealed record JobsErrorDto(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("field"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Field,
    [property: JsonPropertyName("problems"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<JobsProblemDto>? Problems);

/// <summary>One of several problems.</summary>
internal sealed record JobsProblemDto(
    [property: JsonPropertyName("field")] string Field,
    [property: JsonPropertyName("message")] string Message);
