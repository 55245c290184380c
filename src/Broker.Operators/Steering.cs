namespace Broker.Operators;

/// <summary>A command to the newest run of an instance.</summary>
public sealed record RunCommand
{
    /// <summary>Why: for the audit trail, at most 500 characters.</summary>
    public string? Reason { get; init; }

    /// <summary>Only if the newest run has this number: else 409 <c>other_run</c>.</summary>
    public int? IfRun { get; init; }

    /// <summary>Cancel: milliseconds for steps that run after a cancel, 0 (the default) to 3,600,000.</summary>
    public int? GraceMs { get; init; }
}

/// <summary>A run after a command.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance id.</param>
/// <param name="Run">Number of the run: for a restart that of the new one.</param>
/// <param name="Status">Status after the command; <c>deleted</c> for an instance that is gone with all its runs.</param>
public sealed record RunChange(string Workflow, string Instance, int Run, [property: Words("queued", "running", "waiting", "pausing", "paused", "succeeded", "failed", "cancelled", "deleted")] string Status);

/// <summary>An event for the newest run of an instance.</summary>
public sealed record NewEvent
{
    /// <summary>Type, 1 to 128 characters.</summary>
    public string? Type { get; init; }

    /// <summary>Any JSON; checked against the schema of the event, where the workflow has one.</summary>
    public RawJson? Value { get; init; }

    /// <summary>The only step that may take it.</summary>
    public string? Step { get; init; }

    /// <summary>The sender's id, 1 to 128 characters: sent again to the same run, the event is taken once.</summary>
    public string? EventId { get; init; }
}

/// <summary>Outcome of an event.</summary>
/// <param name="Outcome">delivered: a wait took it. kept: for a later wait.</param>
/// <param name="RunStatus">Status of the run before the event.</param>
public sealed record EventReceipt([property: Words("delivered", "kept")] string Outcome, [property: RunStatusWords] string RunStatus);

/// <summary>A run to start.</summary>
public sealed record NewRun
{
    /// <summary>Instance id; made by the broker when left out.</summary>
    public string? Instance { get; init; }

    /// <summary>Inputs, checked as the definition asks; an empty object when left out.</summary>
    public RawJson? Inputs { get; init; }

    /// <summary>Up to 16 tags: names with a string or a number each.</summary>
    public RawJson? Tags { get; init; }

    /// <summary>Added to the priority of each step, -1,000 to 1,000.</summary>
    public int? Priority { get; init; }

    /// <summary>Version to run; the latest when left out.</summary>
    public string? Version { get; init; }

    /// <summary>No task is handed out before.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>The same, in milliseconds from the start.</summary>
    public long? DelayMs { get; init; }

    /// <summary>Limit of the run in milliseconds, in place of the definition's.</summary>
    public long? RunMs { get; init; }

    /// <summary>fail (the default): an instance that exists is 409 <c>already_exists</c>. attach: the answer is its newest run. restart: an instance whose newest run has ended gets a further one with these inputs.</summary>
    [Words("fail", "attach", "restart")]
    public string? IfExists { get; init; }

    /// <summary>Checks the request and starts nothing.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>Outcome of a start.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance id; absent in a dry run that leaves it to the broker.</param>
/// <param name="Run">Number of the run; absent in a dry run.</param>
/// <param name="Version">Version that runs.</param>
/// <param name="Started">This request started the run.</param>
/// <param name="Replayed">An earlier request with the same <c>Idempotency-Key</c> started it.</param>
/// <param name="DryRun">Nothing was started.</param>
public sealed record StartedRun(string Workflow, string? Instance, int? Run, string Version, bool Started, bool Replayed, bool DryRun);

/// <summary>Tags of a run.</summary>
/// <param name="Tags">Names with a string or a number each.</param>
public sealed record RunTagSet(RawJson Tags);
