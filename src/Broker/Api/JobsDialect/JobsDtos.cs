using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Http;
using Broker.Operators;

namespace Broker.Api.JobsDialect;

// The forms of requests and answers. Requests are read by hand; so are claims and workflows written, on the hot path and row by row.

/// <summary>A workflow with its jobs in order of definition.</summary>
/// <param name="Id">Id of the workflow.</param>
/// <param name="Name">Name, for people.</param>
/// <param name="Trigger">Text that says what starts it; stored and shown.</param>
/// <param name="Jobs">Jobs in order of definition, with their state in the last run.</param>
internal sealed record WorkflowDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("trigger")] string Trigger,
    [property: JsonPropertyName("jobs")] JobDto[] Jobs);

/// <summary>A workflow to define: the id is made by the broker.</summary>
/// <param name="Name">Name, for people.</param>
/// <param name="Trigger">Text that says what starts it; stored and shown.</param>
/// <param name="Jobs">Jobs in any order.</param>
/// <param name="Inputs">Inputs by name; left out: a start may give any object.</param>
/// <param name="Timeouts">Limit of a run.</param>
internal sealed record NewWorkflowDto(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("trigger")] string Trigger,
    [property: JsonPropertyName("jobs")] NewJobDto[] Jobs,
    [property: JsonPropertyName("inputs")] Dictionary<string, InputForm>? Inputs = null,
    [property: JsonPropertyName("timeouts")] RunTimeoutsForm? Timeouts = null);

/// <summary>A job to define.</summary>
/// <param name="Id">Id of the job within the workflow.</param>
/// <param name="Name">Name, for people.</param>
/// <param name="Status">State that is shown until the first run; queued when left out.</param>
/// <param name="Command">Shell text.</param>
/// <param name="DependsOn">Ids of jobs that must succeed before.</param>
/// <param name="RequiredLabels">Labels that a worker must offer.</param>
/// <param name="MaxRetries">Retries without a pause; 0 when left out.</param>
/// <param name="RetryPolicy">Retries with their pauses, in place of <c>max_retries</c>.</param>
/// <param name="When">success (when left out), failure, always or an expression; decided once the jobs that it depends on have ended.</param>
/// <param name="Optional">Its failure does not fail the run.</param>
/// <param name="FailFast">Name of a group of jobs: the first failure among them cancels the others.</param>
/// <param name="Priority">-1,000 to 1,000; higher is handed out first.</param>
/// <param name="Timeouts">Limits that the broker enforces.</param>
/// <param name="Metadata">Any JSON for renderers.</param>
/// <param name="Ports">Connection points that renderers draw.</param>
/// <param name="Children">Jobs that renderers draw inside; stored and shown.</param>
/// <param name="Collapsed">Renderers hide the children.</param>
/// <param name="DurationSecs">Shown until the first run.</param>
/// <param name="StartedAt">Shown until the first run.</param>
/// <param name="Output">Shown until the first run.</param>
/// <param name="Attempt">Checked, and no more.</param>
internal sealed record NewJobDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("status"), Words("queued", "running", "success", "failure", "skipped", "cancelled")] string? Status,
    [property: JsonPropertyName("command")] string Command,
    [property: JsonPropertyName("depends_on")] string[]? DependsOn,
    [property: JsonPropertyName("required_labels")] string[]? RequiredLabels,
    [property: JsonPropertyName("max_retries")] int? MaxRetries,
    [property: JsonPropertyName("retry_policy")] RetryPolicyForm? RetryPolicy,
    [property: JsonPropertyName("when")] string? When,
    [property: JsonPropertyName("optional")] bool? Optional,
    [property: JsonPropertyName("fail_fast")] string? FailFast,
    [property: JsonPropertyName("priority")] int? Priority,
    [property: JsonPropertyName("timeouts")] StepTimeoutsForm? Timeouts,
    [property: JsonPropertyName("metadata")] JsonElement? Metadata,
    [property: JsonPropertyName("ports")] PortDto[]? Ports,
    [property: JsonPropertyName("children")] NewJobDto[]? Children,
    [property: JsonPropertyName("collapsed")] bool? Collapsed,
    [property: JsonPropertyName("duration_secs")] long? DurationSecs,
    [property: JsonPropertyName("started_at")] double? StartedAt,
    [property: JsonPropertyName("output")] string? Output,
    [property: JsonPropertyName("attempt")] int? Attempt);

/// <summary>A job and its state in the last run.</summary>
/// <param name="Id">Id of the job within the workflow.</param>
/// <param name="Name">Name, for people.</param>
/// <param name="Status">State in the last run.</param>
/// <param name="Command">Shell text.</param>
/// <param name="DependsOn">Ids of jobs that must succeed before.</param>
/// <param name="DurationSecs">Whole seconds from start to success or final failure; null before.</param>
/// <param name="StartedAt">Start of the present attempt, in milliseconds since 1970; null while queued.</param>
/// <param name="Output">Error text of a failed job.</param>
/// <param name="RequiredLabels">Labels that a worker must offer.</param>
/// <param name="MaxRetries">Retries that the policy allows.</param>
/// <param name="Attempt">Retries used so far.</param>
/// <param name="Metadata">Any JSON for renderers.</param>
/// <param name="Ports">Connection points that renderers draw.</param>
/// <param name="Children">Jobs that renderers draw inside.</param>
/// <param name="Collapsed">Renderers hide the children.</param>
internal sealed record JobDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("status"), Words("queued", "running", "success", "failure", "skipped", "cancelled")] string Status,
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

/// <summary>A start, all of it optional.</summary>
/// <param name="Inputs">Inputs that the workflow declares, else any object.</param>
/// <param name="Id">Id of the instance; left out: the one named like the workflow.</param>
/// <param name="IfActive">join (when left out): the answer is the active run. start: a further instance starts. reject: 409.</param>
/// <param name="Tags">Up to 16 tags: names with a string or a number each.</param>
/// <param name="Priority">Added to the priority of each job, -1,000 to 1,000.</param>
/// <param name="StartAt">No job is handed out before: milliseconds since 1970, or an instant with its offset.</param>
/// <param name="DelayMs">The same, in milliseconds from now.</param>
/// <param name="RunMs">Milliseconds after which the run fails, in place of the workflow's limit.</param>
internal sealed record RunRequestDto(
    [property: JsonPropertyName("inputs")] Dictionary<string, JsonElement>? Inputs,
    [property: JsonPropertyName("id")] string? Id,
    [property: JsonPropertyName("if_active"), Words("join", "start", "reject")] string? IfActive,
    [property: JsonPropertyName("tags")] Dictionary<string, TextOrNumber>? Tags,
    [property: JsonPropertyName("priority")] int? Priority,
    [property: JsonPropertyName("start_at")] InstantForm? StartAt,
    [property: JsonPropertyName("delay_ms")] long? DelayMs,
    [property: JsonPropertyName("run_ms")] long? RunMs);

/// <summary>The run of a start.</summary>
/// <param name="Run">Number of the run, from 0.</param>
/// <param name="InstanceId">Id of the instance.</param>
/// <param name="Joined">The run was active before, and nothing was started.</param>
/// <param name="StatusUrl">Path of its status, as in <c>Location</c>.</param>
internal sealed record RunStartedDto(
    [property: JsonPropertyName("run")] int Run,
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("joined")] bool Joined,
    [property: JsonPropertyName("status_url")] string StatusUrl);

/// <summary>A run.</summary>
/// <param name="Status">Status of the run.</param>
/// <param name="WorkflowId">Id of the workflow.</param>
/// <param name="InstanceId">Id of the instance.</param>
/// <param name="Run">Number of the run, from 0.</param>
/// <param name="Inputs">Inputs, as they were sent.</param>
/// <param name="Tags">Tags: names with a string or a number each.</param>
/// <param name="StartAt">No job is handed out before, in milliseconds since 1970; null where none was asked for.</param>
/// <param name="StartedAt">Start, in milliseconds since 1970; null before.</param>
/// <param name="EndedAt">End, in milliseconds since 1970; null before.</param>
/// <param name="Error">Text of the failure that decided the run.</param>
/// <param name="Jobs">Jobs in order of definition.</param>
internal sealed record JobRunDto(
    [property: JsonPropertyName("status"), Words("queued", "running", "success", "failure", "cancelled")] string Status,
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

/// <summary>A job of a run.</summary>
/// <param name="Id">Id of the job within the workflow.</param>
/// <param name="Status">State of the job.</param>
/// <param name="Attempt">Retries used so far.</param>
/// <param name="Error">Text of its failure.</param>
/// <param name="Logs">Path of its log lines in this run.</param>
/// <param name="Summary">Path of its markdown in this run.</param>
/// <param name="Attempts">Attempts that ended without success, oldest first: the last 100 of the job, and 1,000 of the run at most.</param>
internal sealed record RunJobDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("status"), Words("queued", "running", "success", "failure", "skipped", "cancelled")] string Status,
    [property: JsonPropertyName("attempt")] int Attempt,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("logs")] string Logs,
    [property: JsonPropertyName("summary")] string Summary,
    [property: JsonPropertyName("attempts")] RunAttemptDto[] Attempts);

/// <summary>An attempt of a job that ended without success.</summary>
/// <param name="Attempt">Retries that were used before it.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="WorkerId">Worker that held the job.</param>
/// <param name="StartedAt">Grant of the lease, in milliseconds since 1970.</param>
/// <param name="EndedAt">End, in milliseconds since 1970.</param>
/// <param name="Error">Its failure; null for a job that was put off.</param>
internal sealed record RunAttemptDto(
    [property: JsonPropertyName("attempt")] int Attempt,
    [property: JsonPropertyName("outcome"), Words("failed", "timed_out", "lease_lost", "cancelled", "postponed")] string Outcome,
    [property: JsonPropertyName("worker_id")] string? WorkerId,
    [property: JsonPropertyName("started_at")] long? StartedAt,
    [property: JsonPropertyName("ended_at")] long EndedAt,
    [property: JsonPropertyName("error")] RunAttemptErrorDto? Error);

/// <summary>Failure of an attempt.</summary>
/// <param name="Name">Name of the error, such as <c>AttemptTimedOut</c>.</param>
/// <param name="Message">Text of the error.</param>
/// <param name="ExitCode">Exit code, where the worker reported one.</param>
internal sealed record RunAttemptErrorDto(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("exit_code")] int? ExitCode);

/// <summary>A cancel.</summary>
/// <param name="GraceMs">Milliseconds for jobs that run after a cancel, 0 (when left out) to 3,600,000.</param>
internal sealed record CancelRequestDto([property: JsonPropertyName("grace_ms")] int? GraceMs);

/// <summary>The runs that a cancel ended.</summary>
/// <param name="Cancelled">The runs.</param>
internal sealed record CancelledRunsDto([property: JsonPropertyName("cancelled")] IReadOnlyList<CancelledRunDto> Cancelled);

/// <summary>A cancelled run.</summary>
/// <param name="InstanceId">Id of the instance.</param>
/// <param name="Run">Number of the run, from 0.</param>
internal sealed record CancelledRunDto(
    [property: JsonPropertyName("instance_id")] string InstanceId,
    [property: JsonPropertyName("run")] int Run);

/// <summary>A workflow file of a broker on this database. Either it has a version, or an error.</summary>
/// <param name="WorkflowId">Id of the workflow.</param>
/// <param name="File">Name of the file.</param>
/// <param name="Folder">Folder of the file on its broker.</param>
/// <param name="Version">Version that was made from the content; null where it cannot be read.</param>
/// <param name="Error">Fault of the file with its line; null where it can be read.</param>
/// <param name="ChangedAtMs">Last change, in milliseconds since 1970.</param>
internal sealed record WorkflowFileDto(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("file")] string File,
    [property: JsonPropertyName("folder")] string Folder,
    [property: JsonPropertyName("version")] string? Version,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("changed_at_ms")] long ChangedAtMs);

/// <summary>A connection point that renderers draw.</summary>
/// <param name="Id">Id of the port.</param>
/// <param name="Label">Text beside it.</param>
/// <param name="Direction">Side of the job.</param>
/// <param name="PortType">Type, of the author's choice.</param>
/// <param name="Color">Colour, such as <c>#22aa55</c>.</param>
internal sealed record PortDto(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("label")] string Label,
    [property: JsonPropertyName("direction")] string Direction,
    [property: JsonPropertyName("port_type")] string PortType,
    [property: JsonPropertyName("color")] string? Color);

/// <summary>Retries after the first attempt.</summary>
/// <param name="MaxRetries">Most retries.</param>
/// <param name="Backoff">Pause before a retry.</param>
internal sealed record JobRetryPolicyDto(
    [property: JsonPropertyName("max_retries")] int MaxRetries,
    [property: JsonPropertyName("backoff")] BackoffForm Backoff);

/// <summary>Log chunks, filed under the names in each.</summary>
/// <param name="Chunks">The chunks.</param>
internal sealed record LogChunksDto([property: JsonPropertyName("chunks")] LogChunkDto[] Chunks);

/// <summary>A piece of a job's output.</summary>
/// <param name="WorkflowId">Id of the workflow, as the job has it.</param>
/// <param name="JobId">Id of the job within the workflow.</param>
/// <param name="Sequence">Number of the chunk, by its worker's count.</param>
/// <param name="Data">Text, as it was sent.</param>
/// <param name="TimestampMs">Time by its worker's clock, in milliseconds since 1970.</param>
/// <param name="Stream">Stream of the command.</param>
/// <param name="Run">Number of the run; only in answers to requests with <c>run</c>.</param>
/// <param name="Attempt">Retries used before its attempt; only with <c>run</c>, null where it is not known.</param>
internal sealed record LogChunkDto(
    [property: JsonPropertyName("workflow_id")] string WorkflowId,
    [property: JsonPropertyName("job_id")] string JobId,
    [property: JsonPropertyName("sequence")] long Sequence,
    [property: JsonPropertyName("data")] string Data,
    [property: JsonPropertyName("timestamp_ms")] long TimestampMs,
    [property: JsonPropertyName("stream"), Words("stdout", "stderr")] string Stream,
    [property: JsonPropertyName("run"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Run = null,
    [property: JsonPropertyName("attempt")] int? Attempt = null);

/// <summary>Why a request was refused.</summary>
/// <param name="Error">The fault and the expectation, for people.</param>
/// <param name="Field">Member that is to blame.</param>
/// <param name="Problems">Every fault of a wrong body.</param>
/// <param name="Code">Reason why the lease of a report does not count.</param>
internal sealed record JobsErrorDto(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("field"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Field,
    [property: JsonPropertyName("problems"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<JobsProblemDto>? Problems,
    [property: JsonPropertyName("code"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), Words("lease_lost", "step_cancelled", "step_ended", "unknown_lease")] string? Code = null);

/// <summary>One of several faults.</summary>
/// <param name="Field">Place of the member.</param>
/// <param name="Message">The expectation at that place.</param>
internal sealed record JobsProblemDto(
    [property: JsonPropertyName("field")] string Field,
    [property: JsonPropertyName("message")] string Message);
