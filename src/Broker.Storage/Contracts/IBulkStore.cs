namespace Broker.Storage.Contracts;

/// <summary>Phase of an action on many runs.</summary>
public enum BulkPhase
{
    /// <summary>Tried, and not started.</summary>
    Planned = 0,

    /// <summary>Its runs are being listed.</summary>
    Collecting = 1,
    Running = 2,
    Done = 3,
    Stopped = 4,
}

/// <summary>Outcome of an action for one run.</summary>
public enum BulkOutcome
{
    Pending = 0,
    Done = 1,
    Failed = 2,
    Skipped = 3,
}

/// <summary>An action on many runs.</summary>
public sealed record BulkRecord
{
    /// <summary>0 before it is stored.</summary>
    public long Id { get; init; }
    public required BulkPhase Phase { get; init; }
    public required string Action { get; init; }

    /// <summary>Expression that chooses the runs; null: they were named.</summary>
    public string? Where { get; init; }
    public string? ArgsJson { get; init; }
    public string? ExcludeJson { get; init; }

    /// <summary>Most runs in a second; null: no limit.</summary>
    public int? Rate { get; init; }
    public required string KeyId { get; init; }

    /// <summary>The only workflows of its key; null: all.</summary>
    public IReadOnlyList<string>? Workflows { get; init; }
    public string? Reason { get; init; }

    /// <summary>Token that starts it.</summary>
    public required string Confirm { get; init; }
    public required DateTimeOffset AsOf { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public string? StoppedBecause { get; init; }
    public int Total { get; init; }
    public int Done { get; init; }
    public int Failed { get; init; }
    public int Skipped { get; init; }

    /// <summary>Place of the last run that was listed; null: none.</summary>
    public RunListPlace? Place { get; init; }
}

/// <summary>A run of an action.</summary>
public sealed record BulkItem(int Seq, long RunId, string Workflow, string InstanceId, int Number);

/// <summary>A run of an action, for the command that acts on it: the transaction of the command writes that it is done.</summary>
public readonly record struct BulkItemKey(long BulkId, int Seq);

/// <summary>A run of an action, with its outcome.</summary>
public sealed record BulkItemResult(BulkItem Item, BulkOutcome Outcome, string? Code, string? Message);

/// <summary>Outcome of one run; the code and the message say why it was not done.</summary>
public sealed record BulkEnd(int Seq, BulkOutcome Outcome, string? Code = null, string? Message = null);

/// <summary>
/// Actions on many runs. One broker works on an action at a time, under a lease: a write of a broker that has lost it changes nothing.
/// </summary>
public interface IBulkStore
{
    /// <summary>The store's time.</summary>
    Task<DateTimeOffset> NowAsync(CancellationToken ct);

    /// <summary>Adds an action with the runs that it names; returns it with its id.</summary>
    Task<BulkRecord> AddAsync(BulkRecord bulk, IReadOnlyList<BulkItem> items, CancellationToken ct);

    Task<BulkRecord?> FindAsync(long id, CancellationToken ct);

    /// <summary>
    /// Newest first, behind an id; only those of keys that are limited to some of these workflows (null: all). Backward those that are newer, the nearest first.
    /// </summary>
    Task<Page<BulkRecord>> ListAsync(long? behind, IReadOnlyList<string>? workflows, int limit, CancellationToken ct, bool isBackward = false);

    /// <summary>Starts a planned action; false when it is not planned any more.</summary>
    Task<bool> StartAsync(long id, string? reason, CancellationToken ct);

    /// <summary>Ends an action that has not ended; false when it has.</summary>
    Task<bool> StopAsync(long id, string? why, CancellationToken ct);

    /// <summary>Leases an action that is to be worked on and that no other broker works on; null: there is none.</summary>
    Task<BulkRecord?> LeaseAsync(string owner, TimeSpan lease, CancellationToken ct);

    /// <summary>Ends the lease: the next broker may go on at once.</summary>
    /// <param name="id">The action.</param>
    /// <param name="owner">The broker.</param>
    /// <param name="isCounted">Each outcome was recorded; else the next lease counts those that commands have written.</param>
    /// <param name="ct">Gives up.</param>
    Task ReleaseAsync(long id, string owner, bool isCounted, CancellationToken ct);

    /// <summary>Adds runs to a collecting action. Without a further place it is complete, and running.</summary>
    /// <returns>Null when the lease is lost or the action was stopped.</returns>
    Task<BulkRecord?> CollectAsync(BulkRecord bulk, string owner, TimeSpan lease, IReadOnlyList<BulkItem> items, RunListPlace? next, CancellationToken ct);

    /// <summary>The next runs to act on, in order, behind a number.</summary>
    Task<IReadOnlyList<BulkItem>> PendingAsync(long id, int after, int most, CancellationToken ct);

    /// <summary>Counts outcomes, writes those that no command has written, and renews the lease; without any the action is done.</summary>
    /// <returns>Null when the lease is lost.</returns>
    Task<BulkRecord?> RecordAsync(BulkRecord bulk, string owner, TimeSpan lease, IReadOnlyList<BulkEnd> ends, CancellationToken ct);

    /// <summary>Runs of an action with their outcomes, in order, behind a number; backward those before it, the nearest first.</summary>
    Task<Page<BulkItemResult>> ResultsAsync(long id, IReadOnlyList<BulkOutcome>? outcomes, int behind, int limit, CancellationToken ct, bool isBackward = false);

    /// <summary>Removes actions that ended before, and planned ones that were made before, with their runs: at most a batch of rows; returns how many.</summary>
    Task<int> PruneAsync(DateTimeOffset endedBefore, DateTimeOffset plannedBefore, int batch, CancellationToken ct);
}
