namespace Broker.Operators;

/// <summary>State of the broker at one look.</summary>
/// <param name="Active">Runs that have not ended, by status; counted up to 10,000.</param>
/// <param name="ActiveCapped">There are more.</param>
/// <param name="Queued">Steps that a worker could take now, of all queues.</param>
/// <param name="Starving">Queues with steps that no worker seen lately could take.</param>
/// <param name="Failed">Runs that failed in the window.</param>
/// <param name="FailedBefore">Runs that failed in the window before it.</param>
/// <param name="Started">Runs that were created in the window.</param>
/// <param name="Waiting">Steps that wait for people.</param>
/// <param name="Workers">Workers by their last sign of life.</param>
/// <param name="WindowMs">Length of the window.</param>
/// <param name="Complete">False: a count stopped at its bound of examined rows.</param>
/// <param name="AsOf">The store's time.</param>
/// <param name="Maintenance">The order that gives no worker steps; absent while they get some.</param>
public sealed record Overview(
    IReadOnlyList<KeyCount> Active, bool ActiveCapped, QueuedWork Queued, int Starving, Capped Failed, Capped FailedBefore, Capped Started, PeopleWaits Waiting, WorkerCounts Workers,
    long WindowMs, bool Complete, DateTimeOffset AsOf, HoldInfo? Maintenance = null);

/// <summary>Claimable steps of all queues.</summary>
/// <param name="Depth">Their number; each queue is counted up to 10,000.</param>
/// <param name="OldestMs">Milliseconds that the oldest of them has been claimable.</param>
public sealed record QueuedWork(int Depth, long? OldestMs);

/// <summary>Waits for people.</summary>
/// <param name="People">Their number, counted up to 1,000.</param>
/// <param name="Overdue">Those whose time has passed.</param>
/// <param name="IsCapped">There may be more.</param>
public sealed record PeopleWaits(int People, int Overdue, [property: System.Text.Json.Serialization.JsonPropertyName("capped")] bool IsCapped);

/// <summary>Workers by their last sign of life; the first 5,000 are counted.</summary>
/// <param name="Fresh">Seen within the worker timeout.</param>
/// <param name="Silent">Silent for longer.</param>
/// <param name="SilentWithLeases">Silent ones that hold leases.</param>
/// <param name="Drained">Workers that get no further steps.</param>
public sealed record WorkerCounts(int Fresh, int Silent, int SilentWithLeases, int Drained);

/// <summary>Failures that look alike.</summary>
/// <param name="Id">Id of the group, for <c>error.group=</c> in <c>where</c>.</param>
/// <param name="Workflow">Workflow.</param>
/// <param name="Step">Step that failed; absent where the run failed as a whole.</param>
/// <param name="ErrorName">Name of the error.</param>
/// <param name="Message">Message of the newest, at most 300 characters.</param>
/// <param name="Count">Failures of the group that were examined.</param>
/// <param name="FirstAt">End of the oldest of them.</param>
/// <param name="LastAt">End of the newest.</param>
/// <param name="Trend">Failures in each twelfth of the time from the oldest examined failure to now.</param>
/// <param name="Sample">The newest run.</param>
public sealed record FailureSummary(
    string Id, string Workflow, string? Step, string ErrorName, string Message, int Count, DateTimeOffset FirstAt, DateTimeOffset LastAt, IReadOnlyList<int> Trend, RunAddress Sample);

/// <summary>Groups of failures.</summary>
/// <param name="Groups">Groups, the largest first; at most 200.</param>
/// <param name="Scanned">Failures that were examined.</param>
/// <param name="Complete">False: there are further ones beyond those, or beyond the bound of examined rows.</param>
/// <param name="AsOf">The store's time.</param>
public sealed record FailureGroups(IReadOnlyList<FailureSummary> Groups, int Scanned, bool Complete, DateTimeOffset AsOf);

/// <summary>Choice of failures.</summary>
public sealed record FailureQuery
{
    /// <summary>Created after: an instant, a day, or a time ago such as <c>24h</c>.</summary>
    public string? Since { get; init; }

    /// <summary>Only of these workflows; empty: all.</summary>
    public IReadOnlyList<string> Workflows { get; init; } = [];

    /// <summary>Failures to examine, 1 to 10,000; the newest.</summary>
    public int Scan { get; init; } = Limits.LargestCount;
}

/// <summary>Runs over time by status.</summary>
/// <param name="From">Begin of the first bucket.</param>
/// <param name="StepMs">Length of a bucket.</param>
/// <param name="Series">For each status that occurs the runs that were created in each bucket.</param>
/// <param name="Runs">Runs that were counted, up to 10,000: the newest.</param>
/// <param name="Complete">False: older runs were not counted.</param>
/// <param name="SearchedTo">Creation of the oldest run that was examined, where not all were.</param>
/// <param name="AsOf">The store's time.</param>
public sealed record RunHistogram(DateTimeOffset From, long StepMs, IReadOnlyList<StatusSeries> Series, int Runs, bool Complete, DateTimeOffset? SearchedTo, DateTimeOffset AsOf);

/// <summary>Runs of one status over time.</summary>
/// <param name="Status">Status of the runs.</param>
/// <param name="Counts">Runs that were created in each bucket.</param>
public sealed record StatusSeries([property: RunStatusWords] string Status, IReadOnlyList<int> Counts);

/// <summary>Outcome of a search.</summary>
/// <param name="Hits">Hits, exact ones first.</param>
public sealed record SearchHits(IReadOnlyList<SearchHit> Hits);

/// <summary>A thing that a text names.</summary>
public sealed record SearchHit
{
    /// <summary>Kind of the thing.</summary>
    [Words("run", "workflow", "worker", "lease", "key")]
    public required string Kind { get; init; }

    /// <summary>Workflow of a run or a lease, or the workflow itself.</summary>
    public string? Workflow { get; init; }

    /// <summary>Instance of a run or a lease.</summary>
    public string? Instance { get; init; }

    /// <summary>Number of the run.</summary>
    public int? Run { get; init; }

    /// <summary>Step of a lease.</summary>
    public string? Step { get; init; }

    /// <summary>Status of the run.</summary>
    [RunStatusWords]
    public string? Status { get; init; }

    /// <summary>Id of a worker, a lease or a key.</summary>
    public string? Id { get; init; }
}

/// <summary>The broker that answers, and its settings.</summary>
/// <param name="Version">Version of the broker.</param>
/// <param name="Database">postgresql or sqlite.</param>
/// <param name="StartedAt">Start of this broker.</param>
/// <param name="Keys">Keys that are valid.</param>
/// <param name="Settings">Settings that count; passwords are masked.</param>
/// <param name="PausedStarts">Workflows that start no runs.</param>
/// <param name="DrainedWorkers">Workers that get no further steps.</param>
/// <param name="AsOf">This broker's time.</param>
/// <param name="Maintenance">The order that gives no worker steps; absent while they get some.</param>
public sealed record SystemInfo(
    string Version, [property: Words("postgresql", "sqlite")] string Database, DateTimeOffset StartedAt, int Keys, IReadOnlyList<SettingValue> Settings,
    IReadOnlyList<HoldInfo> PausedStarts, IReadOnlyList<HoldInfo> DrainedWorkers, DateTimeOffset AsOf, HoldInfo? Maintenance = null);

/// <summary>A setting.</summary>
/// <param name="Name">Name, as in the configuration.</param>
/// <param name="Value">Value that counts.</param>
public sealed record SettingValue(string Name, string Value);
