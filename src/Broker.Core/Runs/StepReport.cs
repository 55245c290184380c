using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>How an attempt ended.</summary>
public enum ReportOutcome
{
    Succeeded,

    /// <summary>The worker decided not to run it; its successors go on.</summary>
    Skipped,
    Failed,

    /// <summary>Never retried; its successors see a failure.</summary>
    Cancelled,

    /// <summary>Handed back by a worker that drains: ready again at its old place, charged nothing.</summary>
    Returned,

    /// <summary>Put off by its worker: ready again after a delay, charged nothing, its progress kept.</summary>
    Postponed,
}

/// <summary>A worker's report at the end of an attempt. Members ending in Json are raw text that passes through.</summary>
public sealed record StepReport(ReportOutcome Outcome)
{
    /// <summary>Report that releases a step.</summary>
    public static StepReport Returned { get; } = new(ReportOutcome.Returned);

    public string? ResultJson { get; init; }
    public StepError? Error { get; init; }

    /// <summary>False: a failure is final whatever the policy allows.</summary>
    public bool Retryable { get; init; }

    /// <summary>Postponed: when it is ready again. Failed: the pause before the retry, in place of the policy's; null: the policy's.</summary>
    public long? DelayMs { get; init; }

    /// <summary>Published in order, before the step ends.</summary>
    public IReadOnlyList<PublishedEvent> Events { get; init; } = [];

    public IReadOnlyList<LogLine> Logs { get; init; } = [];

    /// <summary>Replaces the run's context.</summary>
    public string? ContextJson { get; init; }
}

/// <summary>Verdict on a report.</summary>
public enum ReportVerdict
{
    Accepted,

    /// <summary>The lease is not the step's current one: nothing was changed.</summary>
    Stale,

    /// <summary>The step was cancelled meanwhile: the report is in order and changes nothing.</summary>
    StepCancelled,
    UnknownRun,
    UnknownStep,
}

/// <summary>Verdict on a heartbeat.</summary>
public enum HeartbeatVerdict
{
    Renewed,

    /// <summary>Renewed, but the step was cancelled: the worker should stop.</summary>
    Cancelled,

    /// <summary>Renewed, and the run is paused or about to be: the step may go on, and nothing follows it for now.</summary>
    Paused,

    /// <summary>The lease is not the step's current one, or its attempt has reached its limit.</summary>
    Gone,
}

/// <summary>An event on the run's stream; <paramref name="ValueJson"/> is a raw JSON object.</summary>
public sealed record PublishedEvent(string Type, string ValueJson, bool Internal = false);

/// <summary>A line that a worker reports: level is debug, info, warn or error.</summary>
public sealed record LogLine(string Level, string Message, string Category = LogLine.DefaultCategory, string? DataJson = null)
{
    public const string DefaultCategory = "workflow";

    /// <summary>The line is markdown that sums up its attempt, and no part of the job's output.</summary>
    public const string SummaryCategory = "broker.summary";
}

/// <summary>An event sent to a run.</summary>
/// <param name="Id">Row id, growing; 0 before it is stored.</param>
/// <param name="Type">Event type.</param>
/// <param name="PayloadJson">Raw JSON; null when none was sent.</param>
/// <param name="TargetStep">Index of the only step that may take it, or null.</param>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="DeliveredAt">When a step took it.</param>
/// <param name="ConsumedBy">Index of the (first) step that took it.</param>
public sealed record InboxEvent(
    long Id, string Type, string? PayloadJson, int? TargetStep, DateTimeOffset CreatedAt, DateTimeOffset? DeliveredAt = null, int? ConsumedBy = null);

/// <summary>Waits that get an inbound event when several take its type.</summary>
public enum Delivery
{
    /// <summary>The wait that was created first.</summary>
    First,

    /// <summary>Every step now waiting for the type; kept for the first later wait when there is none.</summary>
    AllWaiting,
}

/// <summary>Verdict on an inbound event.</summary>
public enum SendVerdict
{
    Delivered,

    /// <summary>The event is kept for a later wait.</summary>
    Kept,
    RunTerminal,
    UnknownRun,
}

/// <summary>A caller's command to a run.</summary>
public enum ControlCommand
{
    /// <summary>End it at once; late results are discarded. Terminate is the same.</summary>
    Cancel,
    Pause,
    Resume,

    /// <summary>A new run of the same instance with the same inputs; the old one is ended if it is not.</summary>
    Restart,

    /// <summary>Delete the instance with all its runs.</summary>
    Purge,
}

public enum ControlVerdict
{
    Done,

    /// <summary>The command is valid and changes nothing.</summary>
    NoChange,
    Terminal,
    UnknownRun,
}
