using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Contracts;

/// <summary>A name, or the begin of one.</summary>
public readonly record struct NameMatch(string Text, bool IsPrefix)
{
    public bool Fits(string name) => IsPrefix ? name.StartsWith(Text, StringComparison.Ordinal) : name == Text;
}

/// <summary>A tag that has one of these values, or (<paramref name="IsNot"/>) has none of them.</summary>
public sealed record TagMatch(string Name, IReadOnlyList<string> Values, bool IsNot);

/// <summary>Conditions on a run, all of which it fits; null or empty: no condition.</summary>
public sealed record RunFilter
{
    public static RunFilter All { get; } = new();

    /// <summary>Any of these; an empty list fits no run.</summary>
    public IReadOnlyList<string>? Workflows { get; init; }
    public IReadOnlyList<string> NotWorkflows { get; init; } = [];

    /// <summary>Any of these; an empty set fits no run.</summary>
    public IReadOnlySet<RunStatus>? Statuses { get; init; }

    /// <summary>Any of these; an empty list fits no run.</summary>
    public IReadOnlyList<NameMatch>? Instances { get; init; }
    public IReadOnlyList<NameMatch> NotInstances { get; init; } = [];
    public IReadOnlyList<string>? Versions { get; init; }
    public IReadOnlyList<string> NotVersions { get; init; } = [];

    /// <summary>Any of these numbers.</summary>
    public IReadOnlyList<int>? Numbers { get; init; }
    public int? NumberAbove { get; init; }
    public int? NumberBelow { get; init; }
    public DateTimeOffset? CreatedAfter { get; init; }
    public DateTimeOffset? CreatedBefore { get; init; }
    public DateTimeOffset? EndedAfter { get; init; }
    public DateTimeOffset? EndedBefore { get; init; }

    /// <summary>From the start to the end, or to now; a run that has not started fits neither.</summary>
    public TimeSpan? LongerThan { get; init; }
    public TimeSpan? ShorterThan { get; init; }

    /// <summary>Texts that the error holds, all of them, whatever their case.</summary>
    public IReadOnlyList<string> ErrorTexts { get; init; } = [];

    /// <summary>Names of the error, any of them.</summary>
    public IReadOnlyList<string>? ErrorNames { get; init; }
    public IReadOnlyList<string> NotErrorNames { get; init; } = [];

    /// <summary>Groups of the error (<see cref="FailureGroup"/>), any of them.</summary>
    public IReadOnlyList<string>? ErrorGroups { get; init; }
    public IReadOnlyList<string> NotErrorGroups { get; init; } = [];

    /// <summary>One of these steps is ready, leased or waiting, or has failed.</summary>
    public IReadOnlyList<string>? Steps { get; init; }

    public IReadOnlyList<TagMatch> Tags { get; init; } = [];

    /// <summary>One of these workers holds a lease of the run.</summary>
    public IReadOnlyList<string>? Workers { get; init; }
}

/// <summary>Place in a list of runs. Lists are ordered by creation, or (over all workflows) by id, which is nearly the same.</summary>
public readonly record struct RunListPlace(bool IsById, DateTimeOffset CreatedAt, long Id);

/// <param name="Filter">Runs to list.</param>
/// <param name="After">Place of the run before the first; null begins the list.</param>
/// <param name="OldestFirst">Oldest first; else the newest.</param>
/// <param name="Limit">At most that many.</param>
public sealed record RunListRequest(RunFilter Filter, RunListPlace? After, bool OldestFirst, int Limit);

/// <summary>A step that has a lease or waits.</summary>
public sealed record ActiveStep(int Index, StepStatus Status, string? Worker, DateTimeOffset? Since, DateTimeOffset? Until);

/// <summary>Counts of steps, and some that are under way.</summary>
/// <param name="Done">Succeeded or skipped.</param>
/// <param name="Failed">Failed.</param>
/// <param name="Running">Leased.</param>
/// <param name="Current">At most <see cref="Most"/>, leased ones first.</param>
/// <param name="FailedStep">The step that failed first.</param>
public sealed record RunProgress(int Done, int Failed, int Running, IReadOnlyList<ActiveStep> Current, int? FailedStep)
{
    public const int Most = 3;
}

/// <summary>A run of a list.</summary>
public sealed record ListedRun
{
    public required RunRef Ref { get; init; }
    public required WorkflowDefinition Definition { get; init; }
    public required RunStatus Status { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public StepError? Error { get; init; }

    /// <summary>Number of the instance's newest run.</summary>
    public required int LastNumber { get; init; }

    /// <summary>Raw JSON object, or null.</summary>
    public string? TagsJson { get; init; }

    /// <summary>Null for definitions of more than <see cref="LargestCounted"/> steps: their rows are not read for a list.</summary>
    public RunProgress? Progress { get; init; }

    public const int LargestCounted = 1000;
}

/// <param name="Rows">Runs in order.</param>
/// <param name="Next">Where the next page begins; null at the end.</param>
/// <param name="SearchedTo">The search stopped at its bound: creation of the last run that was examined.</param>
/// <param name="Now">The store's time of the search.</param>
public sealed record RunList(IReadOnlyList<ListedRun> Rows, RunListPlace? Next, DateTimeOffset? SearchedTo, DateTimeOffset Now);

/// <param name="Count">Runs that fit, up to a bound.</param>
/// <param name="IsCapped">There are more.</param>
/// <param name="SearchedTo">The count stopped at its bound of examined rows: creation of the last run that was examined.</param>
/// <param name="Now">The store's time of the count.</param>
public sealed record CappedCount(int Count, bool IsCapped, DateTimeOffset? SearchedTo, DateTimeOffset Now);

/// <summary>A run that an action on many runs chooses.</summary>
/// <param name="Ref">Its names.</param>
/// <param name="Definition">Its definition.</param>
/// <param name="Status">Its status.</param>
/// <param name="IsNewest">It is the newest run of its instance.</param>
/// <param name="CreatedAt">Its creation.</param>
/// <param name="EndedAt">Its end.</param>
/// <param name="Error">Its error; read where runs without one do not fit.</param>
public sealed record ChosenRun(RunRef Ref, WorkflowDefinition Definition, RunStatus Status, bool IsNewest, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt, StepError? Error);

/// <param name="Rows">Runs in order, newest first.</param>
/// <param name="Next">Where the next page begins; null at the end.</param>
/// <param name="SearchedTo">The search stopped at its bound: creation of the last run that was examined.</param>
/// <param name="Now">The store's time of the search.</param>
public sealed record ChosenRuns(IReadOnlyList<ChosenRun> Rows, RunListPlace? Next, DateTimeOffset? SearchedTo, DateTimeOffset Now);

/// <summary>Finds runs of all workflows. A search examines a bounded number of rows, however many there are, and says how far it came.</summary>
public interface IRunSearch
{
    /// <summary>Rows that one search examines at most.</summary>
    const int Examined = 5000;

    /// <summary>Rows that one count examines at most.</summary>
    const int Counted = 20_000;

    Task<RunList> ListAsync(RunListRequest request, CancellationToken ct);

    /// <summary>Counts up to <paramref name="max"/>.</summary>
    Task<CappedCount> CountAsync(RunFilter filter, int max, CancellationToken ct);

    /// <summary>Ids of the newest runs that fit, at most that many, and whether these are all.</summary>
    Task<(IReadOnlyList<long> Runs, bool IsAll, DateTimeOffset Now)> IdsAsync(RunFilter filter, int most, CancellationToken ct);

    /// <summary>Runs that fit without what lists show of them, newest first: at most that many, and of at most <see cref="Counted"/> that are examined.</summary>
    Task<ChosenRuns> ChooseAsync(RunFilter filter, RunListPlace? after, int most, CancellationToken ct);

    /// <summary>Those of these runs that fit, in any order.</summary>
    Task<IReadOnlyList<ChosenRun>> FitAsync(RunFilter filter, IReadOnlyList<long> runs, CancellationToken ct);

    /// <summary>Numbers of an instance's stored runs, newest first.</summary>
    Task<IReadOnlyList<int>> NumbersAsync(string workflow, string instanceId, int most, CancellationToken ct);

    /// <summary>The run whose finished steps a run keeps, and the runs of other instances that keep steps of it, the newest first.</summary>
    Task<(RunRef? From, IReadOnlyList<RunRef> Forks)> KeptStepsAsync(RunRef run, int most, CancellationToken ct);

    /// <summary>Replaces the tags of a run; false when it is gone.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="tagsJson">Raw JSON object, or null for none.</param>
    /// <param name="ct">Gives up.</param>
    Task<bool> TagAsync(long runId, string? tagsJson, CancellationToken ct);

    /// <summary>Changes the tags of runs, in one transaction.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="change">From a run and its tags (raw JSON object, or null) to the new ones.</param>
    /// <param name="ct">Gives up.</param>
    Task TagAsync(IReadOnlyList<long> runs, Func<long, string?, string?> change, CancellationToken ct);
}
