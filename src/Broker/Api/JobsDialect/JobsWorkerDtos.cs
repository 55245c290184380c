using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Operators;

namespace Broker.Api.JobsDialect;

/// <summary>A worker to register.</summary>
/// <param name="WorkerId">Id of its own choice.</param>
/// <param name="Labels">Labels that it offers.</param>
internal sealed record NewWorkerDto(
    [property: JsonPropertyName("worker_id")] string WorkerId,
    [property: JsonPropertyName("labels")] string[] Labels);

/// <summary>A worker as it is listed.</summary>
/// <param name="WorkerId">Id of its own choice.</param>
/// <param name="Labels">Labels that it offers.</param>
/// <param name="RegisteredAtMs">Registration, in milliseconds since 1970.</param>
/// <param name="LastHeartbeatMs">Last sign of life, in milliseconds since 1970.</param>
/// <param name="CurrentJob">Id of a job that it holds; null: none.</param>
/// <param name="Status">offline: no sign of life for longer than the worker timeout.</param>
internal sealed record LabelledWorkerDto(
    [property: JsonPropertyName("worker_id")] string WorkerId,
    [property: JsonPropertyName("labels")] IReadOnlyList<string> Labels,
    [property: JsonPropertyName("registered_at_ms")] long RegisteredAtMs,
    [property: JsonPropertyName("last_heartbeat_ms")] long LastHeartbeatMs,
    [property: JsonPropertyName("current_job")] string? CurrentJob,
    [property: JsonPropertyName("status"), Words("idle", "busy", "offline")] string Status);

/// <summary>A claim. The members behind <c>lease_ttl_secs</c> are extensions.</summary>
/// <param name="WorkerId">Id of the worker.</param>
/// <param name="Labels">Labels that it offers.</param>
/// <param name="LeaseTtlSecs">Length of the lease, in seconds.</param>
/// <param name="Count">Most jobs, 1 to 1,000; with it the answer is an array.</param>
/// <param name="Wait">Seconds to hold the request until a job is ready, 0 to 60.</param>
/// <param name="ClaimId">Name of this claim, 1 to 200 characters: sent again with the same name, it gets the same leases.</param>
internal sealed record ClaimDto(
    [property: JsonPropertyName("worker_id")] string WorkerId,
    [property: JsonPropertyName("labels")] string[] Labels,
    [property: JsonPropertyName("lease_ttl_secs")] long? LeaseTtlSecs,
    [property: JsonPropertyName("count")] int? Count,
    [property: JsonPropertyName("wait")] int? Wait,
    [property: JsonPropertyName("claim_id")] string? ClaimId);

/// <summary>A claimed job and its lease.</summary>
/// <param name="Job">The job.</param>
/// <param name="Lease">The lease that it is held under.</param>
internal sealed record ClaimedJobDto(
    [property: JsonPropertyName("job")] QueuedJobDto Job,
    [property: JsonPropertyName("lease")] JobLeaseDto Lease);

/// <summary>Data that a worker needs to run a job. The members behind <c>delayed_until_ms</c> are extensions.</summary>
/// <param name="JobId">Id of the job within the workflow.</param>
/// <param name="WorkflowId">Id of the workflow, or <c>WORKFLOW~INSTANCE</c>.</param>
/// <param name="Command">Shell text.</param>
/// <param name="RequiredLabels">Labels that a worker must offer.</param>
/// <param name="RetryPolicy">Retries of the job.</param>
/// <param name="Attempt">Retries used before.</param>
/// <param name="UpstreamOutputs">Outputs of each job that it depends on, by its id.</param>
/// <param name="EnqueuedAtMs">When the job became ready, in milliseconds since 1970.</param>
/// <param name="DelayedUntilMs">End of the pause before a retry, in milliseconds since 1970; 0 without one.</param>
/// <param name="Steps">Steps of a job of a workflow file: the same work as <c>command</c>, one script each.</param>
/// <param name="Env">Variables for all steps; only with <c>steps</c>.</param>
/// <param name="Inputs">Inputs of the run.</param>
/// <param name="Run">Number of the run, from 0.</param>
/// <param name="InstanceId">Id of the instance.</param>
/// <param name="TraceParent">W3C trace context; where the run was started within a trace.</param>
/// <param name="Progress">Value that an earlier attempt sent with a heartbeat.</param>
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

/// <summary>A step of a job.</summary>
/// <param name="Name">Heading of its lines.</param>
/// <param name="Run">Shell text.</param>
/// <param name="Env">Variables that are set from this step on.</param>
internal sealed record JobStepDto(
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("run")] string Run,
    [property: JsonPropertyName("env")] Dictionary<string, string>? Env = null);

/// <summary>The right to report one attempt of one job.</summary>
/// <param name="LeaseId">Id of the lease.</param>
/// <param name="JobId">Id of the job within the workflow.</param>
/// <param name="WorkflowId">Id of the workflow, as the job has it.</param>
/// <param name="WorkerId">Id of the worker.</param>
/// <param name="TtlSecs">Length of the lease, in seconds.</param>
/// <param name="GrantedAtMs">Grant, in milliseconds since 1970.</param>
/// <param name="DeadlineMs">End of the attempt, in milliseconds since 1970; where it has a limit.</param>
internal sealed record JobLeaseDto(
    [property: JsonPropertyName("lease_id")] string LeaseId,
    [property: JsonPropertyName("job_id")] string JobId,
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("worker_id")] string WorkerId,
    [property: JsonPropertyName("ttl_secs")] long TtlSecs,
    [property: JsonPropertyName("granted_at_ms")] long GrantedAtMs,
    [property: JsonPropertyName("deadline_ms")] long? DeadlineMs = null);

/// <summary>Outputs of a job, handed to the jobs that depend on it.</summary>
/// <param name="Outputs">Outputs by name; none when left out.</param>
/// <param name="Summary">Extension: markdown of 1 MiB at most that is shown with the job.</param>
internal sealed record JobOutputsDto(
    [property: JsonPropertyName("outputs")] Dictionary<string, string>? Outputs,
    [property: JsonPropertyName("summary")] string? Summary = null);

/// <summary>A failure; retried when it is retryable and retries are left. The members behind <c>retryable</c> are extensions.</summary>
/// <param name="Error">Text of the failure.</param>
/// <param name="Retryable">Retried while retries are left; false when left out.</param>
/// <param name="Summary">Markdown of 1 MiB at most that is shown with the job.</param>
/// <param name="RetryAfterMs">Milliseconds before the retry, in place of the policy's pause.</param>
/// <param name="ExitCode">Exit code, for policies that name them; left out: read from an error such as <c>exit code 3: …</c>.</param>
internal sealed record JobFailureDto(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("retryable")] bool? Retryable,
    [property: JsonPropertyName("summary")] string? Summary = null,
    [property: JsonPropertyName("retry_after_ms")] long? RetryAfterMs = null,
    [property: JsonPropertyName("exit_code")] int? ExitCode = null);

/// <summary>How long a job is put off.</summary>
/// <param name="DelayMs">Milliseconds until it is handed out again.</param>
internal sealed record JobPostponementDto([property: JsonPropertyName("delay_ms")] long DelayMs);

/// <summary>Members that a heartbeat may carry.</summary>
/// <param name="Progress">Any JSON up to 64 KiB, which the next attempt is given.</param>
internal sealed record JobProgressDto([property: JsonPropertyName("progress")] JsonElement? Progress);

/// <summary>Reports of up to 1,000 jobs, and a claim after them.</summary>
/// <param name="Results">Reports.</param>
/// <param name="Claim">Claim to serve after the reports.</param>
internal sealed record CompleteJobsDto(
    [property: JsonPropertyName("results")] JobResultDto[] Results,
    [property: JsonPropertyName("claim")] ClaimDto? Claim);

/// <summary>One report: a success unless it has an error or <c>postpone_ms</c>.</summary>
/// <param name="LeaseId">Lease that the report counts under.</param>
/// <param name="Outputs">Outputs of a success, by name.</param>
/// <param name="Error">Text of a failure.</param>
/// <param name="Retryable">Of a failure: retried while retries are left; false when left out.</param>
/// <param name="Summary">Markdown of 1 MiB at most that is shown with the job.</param>
/// <param name="RetryAfterMs">Of a failure: milliseconds before the retry, in place of the policy's pause.</param>
/// <param name="ExitCode">Of a failure: exit code, for policies that name them.</param>
/// <param name="PostponeMs">Puts the job off: milliseconds until it is handed out again.</param>
internal sealed record JobResultDto(
    [property: JsonPropertyName("lease_id")] string LeaseId,
    [property: JsonPropertyName("outputs")] Dictionary<string, string>? Outputs,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("retryable")] bool? Retryable,
    [property: JsonPropertyName("summary")] string? Summary = null,
    [property: JsonPropertyName("retry_after_ms")] long? RetryAfterMs = null,
    [property: JsonPropertyName("exit_code")] int? ExitCode = null,
    [property: JsonPropertyName("postpone_ms")] long? PostponeMs = null);

/// <summary>Outcome of a batch of reports.</summary>
/// <param name="Results">A verdict for each report, in order.</param>
/// <param name="Claimed">Jobs that were claimed after the reports.</param>
internal sealed record CompletedJobsDto(
    [property: JsonPropertyName("results")] JobVerdictDto[] Results,
    [property: JsonPropertyName("claimed")] ClaimedJobDto[] Claimed);

/// <summary>Verdict on a report.</summary>
/// <param name="LeaseId">Lease that the report named; empty where it named none.</param>
/// <param name="Accepted">The report was counted.</param>
/// <param name="Verdict">cancelled: in order, and changes nothing. stale: the lease is lost. invalid: see <c>error</c>.</param>
/// <param name="Error">Fault of an invalid report.</param>
/// <param name="Code">Reason why the lease of a stale report does not count.</param>
internal sealed record JobVerdictDto(
    [property: JsonPropertyName("lease_id")] string LeaseId,
    [property: JsonPropertyName("accepted")] bool Accepted,
    [property: JsonPropertyName("verdict"), Words("accepted", "cancelled", "stale", "invalid")] string Verdict,
    [property: JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error,
    [property: JsonPropertyName("code"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), Words("lease_lost", "step_cancelled", "step_ended", "unknown_lease")] string? Code = null);

/// <summary>Leases to renew, at most 1,000.</summary>
/// <param name="LeaseIds">Ids of the leases.</param>
/// <param name="Progress">By lease: any JSON up to 64 KiB, which the next attempt is given.</param>
internal sealed record LeaseIdsDto(
    [property: JsonPropertyName("lease_ids")] string[] LeaseIds,
    [property: JsonPropertyName("progress")] IReadOnlyDictionary<string, JsonElement>? Progress = null);

/// <summary>Outcome of a batch of heartbeats.</summary>
/// <param name="Results">Finding for each lease, in order.</param>
internal sealed record RenewedLeasesDto([property: JsonPropertyName("results")] IReadOnlyList<RenewedLeaseDto> Results);

/// <summary>Outcome of a heartbeat.</summary>
/// <param name="LeaseId">The lease.</param>
/// <param name="Alive">It was renewed.</param>
/// <param name="Cancelled">It was renewed, but the job should be stopped.</param>
/// <param name="Paused">It was renewed, and the run is paused or about to be.</param>
/// <param name="Lost">The lease is gone, or the attempt has reached its limit.</param>
/// <param name="Code">Reason why a lost lease does not count.</param>
internal sealed record RenewedLeaseDto(
    [property: JsonPropertyName("lease_id")] string LeaseId,
    [property: JsonPropertyName("alive")] bool Alive,
    [property: JsonPropertyName("cancelled")] bool Cancelled,
    [property: JsonPropertyName("paused")] bool Paused,
    [property: JsonPropertyName("lost")] bool Lost,
    [property: JsonPropertyName("code"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), Words("lease_lost", "step_cancelled", "step_ended", "unknown_lease")] string? Code = null)
{
    public static RenewedLeaseDto Of(string lease, HeartbeatVerdict verdict, LeaseLoss? loss) => new(
        lease,
        verdict is not HeartbeatVerdict.Gone,
        verdict is HeartbeatVerdict.Cancelled,
        verdict is HeartbeatVerdict.Paused,
        verdict is HeartbeatVerdict.Gone,
        loss is { } why ? LostLease.Code(why) : null);
}
