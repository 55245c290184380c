using System.Text.Json.Serialization;

namespace Broker.Operators;

/// <summary>An action on many runs: first tried, then started.</summary>
public sealed record NewBulk
{
    /// <summary>retry, cancel, pause, resume, restart, terminate, delete, tag or send_event.</summary>
    [BulkActionWords]
    public string? Action { get; init; }

    /// <summary>Expression that chooses the runs; either this or <c>ids</c>.</summary>
    public string? Where { get; init; }

    /// <summary>The runs, 1 to 1,000. Without a number it is the instance's newest run.</summary>
    public IReadOnlyList<RunAddress>? Ids { get; init; }

    /// <summary>Runs to leave out, at most 1,000. Without a number all runs of the instance are left out.</summary>
    public IReadOnlyList<RunAddress>? Exclude { get; init; }

    /// <summary>Arguments of the action.</summary>
    public BulkArguments? Args { get; init; }

    /// <summary>Most runs in a second, 1 to 10,000; null: as fast as the broker can.</summary>
    public int? Rate { get; init; }

    /// <summary>Why: for the audit trail, at most 500 characters.</summary>
    public string? Reason { get; init; }

    /// <summary>true (the default): says what would happen, and waits for the start. false: starts at once.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>Arguments of an action; a member that its action does not take is refused.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record BulkArguments
{
    /// <summary>cancel: milliseconds for steps that run after a cancel, 0 to 3,600,000.</summary>
    public int? GraceMs { get; init; }

    /// <summary>retry: steps to run again beside those that failed or were cancelled.</summary>
    public IReadOnlyList<string>? Steps { get; init; }

    /// <summary>tag: tags to set, names with a string or a number each; null takes a tag away. Other tags stay.</summary>
    public RawJson? Tags { get; init; }

    /// <summary>send_event: type of the event.</summary>
    public string? Type { get; init; }

    /// <summary>send_event: any JSON, checked for each run against the event's schema.</summary>
    public RawJson? Value { get; init; }

    /// <summary>send_event: the only step that may take it.</summary>
    public string? Step { get; init; }
}

/// <summary>Outcome of a trial: the runs that an action would be done to.</summary>
/// <param name="Id">Id of the action.</param>
/// <param name="Action">The action.</param>
/// <param name="State">planned, or collecting where it was started at once.</param>
/// <param name="AsOf">Runs that were created later, or ended later where ended runs are chosen, are left alone.</param>
/// <param name="Matched">Runs that fit, counted up to 10,000.</param>
/// <param name="Complete">False: the count stopped at its bound of examined rows.</param>
/// <param name="ByStatus">Counted runs by status.</param>
/// <param name="ByWorkflow">Counted runs by workflow: the 20 with the most.</param>
/// <param name="Qualify">Counted runs that the action takes now.</param>
/// <param name="NotQualify">Counted runs that it does not take now, by reason.</param>
/// <param name="Sample">Up to 10 of the runs.</param>
/// <param name="Confirm">Token that starts the action; absent where it was started at once.</param>
/// <param name="ConfirmUntil">End of the token, 10 minutes later.</param>
public sealed record BulkPlan(
    long Id,
    [property: BulkActionWords] string Action,
    [property: BulkStateWords] string State,
    DateTimeOffset AsOf,
    Capped Matched,
    bool Complete,
    IReadOnlyList<KeyCount> ByStatus,
    IReadOnlyList<KeyCount> ByWorkflow,
    int Qualify,
    IReadOnlyList<ReasonCount> NotQualify,
    IReadOnlyList<BulkRun> Sample,
    string? Confirm,
    DateTimeOffset? ConfirmUntil);

/// <summary>Number of runs with that key.</summary>
/// <param name="Key">A status or a workflow.</param>
/// <param name="Count">The number.</param>
public sealed record KeyCount(string Key, int Count);

/// <summary>Number of runs that an action does not take, for one reason.</summary>
/// <param name="Why">The reason.</param>
/// <param name="Count">The number.</param>
public sealed record ReasonCount(string Why, int Count);

/// <summary>A run of a sample.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance id.</param>
/// <param name="Run">Number of the run.</param>
/// <param name="Status">Status of the run.</param>
/// <param name="CreatedAt">Creation of the run.</param>
public sealed record BulkRun(string Workflow, string Instance, int Run, [property: RunStatusWords] string Status, DateTimeOffset CreatedAt);

/// <summary>The start of an action that was tried before.</summary>
public sealed record BulkStart
{
    /// <summary>Token of the trial.</summary>
    public string? Confirm { get; init; }

    /// <summary>Number of runs that the trial said: <c>matched.count</c>.</summary>
    public int? Count { get; init; }

    /// <summary>Why, in place of the reason of the trial.</summary>
    public string? Reason { get; init; }
}

/// <summary>An order to end an action before its last run.</summary>
public sealed record BulkStop
{
    /// <summary>Why: for the audit trail, at most 500 characters.</summary>
    public string? Reason { get; init; }
}

/// <summary>An action on many runs.</summary>
public sealed record BulkState
{
    /// <summary>Id.</summary>
    public required long Id { get; init; }

    /// <summary>The action.</summary>
    [BulkActionWords]
    public required string Action { get; init; }

    /// <summary>planned, collecting (the runs are listed), running, done or stopped.</summary>
    [BulkStateWords]
    public required string State { get; init; }

    /// <summary>Expression that chose the runs; absent for a list of ids.</summary>
    public string? Where { get; init; }

    /// <summary>Arguments of the action.</summary>
    public BulkArguments? Args { get; init; }

    /// <summary>Most runs in a second.</summary>
    public int? Rate { get; init; }

    /// <summary>Key that started it.</summary>
    public required string By { get; init; }

    /// <summary>Why.</summary>
    public string? Reason { get; init; }

    /// <summary>Runs of later than this are left alone.</summary>
    public required DateTimeOffset AsOf { get; init; }

    /// <summary>Creation.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Start.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>End.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Runs listed so far; exact once it is running.</summary>
    public required int Total { get; init; }

    /// <summary>Runs that the action was done to.</summary>
    public required int Done { get; init; }

    /// <summary>Runs that refused it by a fault.</summary>
    public required int Failed { get; init; }

    /// <summary>Runs that did not fit any more, or whose status did not allow it.</summary>
    public required int Skipped { get; init; }

    /// <summary>Why it was stopped.</summary>
    public string? StoppedBecause { get; init; }
}

/// <summary>Outcome of an action for one run.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance id.</param>
/// <param name="Run">Number of the run.</param>
/// <param name="Outcome">pending, done, failed or skipped.</param>
/// <param name="Code">Why it was not done: not_allowed, no_match, not_newest, not_found, invalid or fault.</param>
/// <param name="Message">The same in a sentence.</param>
/// <param name="NewRun">Number of the run that a retry or restart started.</param>
public sealed record BulkResult(
    string Workflow, string Instance, int Run, [property: Words("pending", "done", "failed", "skipped")] string Outcome,
    [property: Words("not_allowed", "no_match", "not_newest", "not_found", "invalid", "fault")] string? Code = null, string? Message = null, int? NewRun = null);

/// <summary>Choice of results.</summary>
public sealed record BulkResultQuery : PagedQuery
{
    /// <summary>Only these outcomes; empty: all.</summary>
    public IReadOnlyList<string> Outcomes { get; init; } = [];
}
