using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Model;
using Broker.Storage.Stores;

namespace Broker.Storage.Lanes;

/// <summary>Which run a piece of work is about.</summary>
/// <param name="Workflow">Workflow name.</param>
/// <param name="InstanceId">Instance id.</param>
/// <param name="Number">Run number; null: the current run.</param>
internal readonly record struct RunName(string Workflow, string InstanceId, int? Number);

/// <summary>
/// One transaction on one engine: the whole list of what differs between them on the hot path. Order of locks, everywhere: run rows by
/// id, then step rows (claims skip locked ones), then inbox rows, then stream rows by run id. Nobody waits against that order, but for
/// reports that have looked at the inbox and then write their steps: a deadlock of theirs is tried again.
/// </summary>
internal interface IUnit : IAsyncDisposable
{
    /// <summary>Ends a transaction that has failed; throws when the connection is no longer sound.</summary>
    Task RollbackAsync();

    /// <summary>Runs by name: id and definition; (0, 0) where there is none. Begins the transaction if it has not begun.</summary>
    Task<(long Id, int DefinitionId)[]> ResolveAsync(IReadOnlyList<RunName> names, CancellationToken ct);

    /// <summary>Begins, locks the runs in order of id, reads the named steps, and takes the time: after the locks, by the store's clock.</summary>
    Task<Loaded> BeginAsync(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, CancellationToken ct);

    /// <summary>The store's clock, where nothing needs to be loaded.</summary>
    Task<DateTimeOffset> NowAsync(CancellationToken ct);

    /// <summary>Reads and locks the active steps, and those that still hold a lease, of runs that are locked.</summary>
    Task<ILookup<long, StepState>> ActiveStepsAsync(IReadOnlyList<long> runs, CancellationToken ct);

    /// <summary>The active steps of runs that are locked, without locking them: what only a command on the run can change.</summary>
    Task<ILookup<long, int>> ActiveIndexesAsync(IReadOnlyList<long> runs, CancellationToken ct);

    /// <summary>Gives steps that have just been leased the pending events of the types they accept; with those that they were given before.</summary>
    Task<ILookup<StepKey, InboundEvent>> TakeMailAsync(IReadOnlyList<(StepKey Step, string Type)> accepted, CancellationToken ct);

    /// <summary>Undelivered inbound events of runs that are locked. Locks them, so that no step is given them meanwhile.</summary>
    Task<ILookup<long, InboundEvent>> MailAsync(IReadOnlyList<long> runs, CancellationToken ct);

    /// <summary>Results of those of the named steps that have finished.</summary>
    Task<IReadOnlyList<(StepKey Step, string? Result)>> ResultsAsync(IReadOnlyList<StepKey> steps, CancellationToken ct);

    /// <summary>All runs of an instance, whatever their number: for purging.</summary>
    Task<IReadOnlyList<long>> RunsOfAsync(string workflow, string instanceId, CancellationToken ct);

    /// <summary>What a further run takes over from a run.</summary>
    Task<Inherited> InheritedAsync(long runId, CancellationToken ct);

    /// <summary>Starts that were made under these keys before.</summary>
    Task<IReadOnlyList<StartKeyRow>> StartKeysAsync(IReadOnlyList<string> keys, CancellationToken ct);

    /// <summary>Writes everything and then hands out steps. Returns what was leased, and for each heartbeat the status it found (null: gone).</summary>
    Task<(IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<StepStatus?> Heartbeats)> WriteAsync(
        ChangeSet changes, IReadOnlyList<ClaimGroup> claims, CancellationToken ct);

    /// <summary>Numbers and appends events to their runs' streams.</summary>
    Task AppendEventsAsync(IReadOnlyList<Appended> events, CancellationToken ct);

    /// <summary>Commits, and reads the results that the leased steps are given, in the same exchange.</summary>
    Task<IReadOnlyList<(StepKey Step, string? Result)>> CommitAsync(IReadOnlyList<StepKey> upstream, CancellationToken ct);
}

/// <summary>Payloads of a run, raw JSON, and the creation of its instance.</summary>
internal sealed record Inherited(string Inputs, string? Context, string? StartContext, long InstanceCreatedAt);

/// <summary>The engine that the stores run on.</summary>
internal interface IEngine
{
    /// <summary>How many transactions do their work side by side.</summary>
    int Turns { get; }

    /// <summary>How many lanes take these turns: more than turns where a commit can be left to itself.</summary>
    int Lanes { get; }

    /// <summary>A connection for transactions, one after the other; the lane keeps it until one of them fails.</summary>
    Task<IUnit> OpenAsync(DefinitionCache definitions, CancellationToken ct);

    /// <summary>A context for everything that is not the hot path.</summary>
    BrokerDb CreateContext();

    /// <summary>The store's clock.</summary>
    Task<DateTimeOffset> NowAsync(CancellationToken ct);

    /// <summary>Asks the database for a sign of life; throws when there is none.</summary>
    Task PingAsync(CancellationToken ct);

    /// <summary>Held around every write on an engine with a single writer.</summary>
    Task<IDisposable> WriteTurnAsync(CancellationToken ct);

    /// <summary>Held while migrations are applied.</summary>
    Task<IAsyncDisposable> MigrationTurnAsync(CancellationToken ct);

    /// <summary>Whether trying the same transaction again may help: deadlock, serialisation.</summary>
    bool IsTransient(Exception fault);

    /// <summary>Whether a row with that key is there already.</summary>
    bool IsDuplicate(Exception fault);

    /// <summary>Whether the database cannot be reached, or cannot write, at present.</summary>
    bool IsUnavailable(Exception fault);

    /// <summary>Whether the database refuses writes although it answers: a standby, or one that an operator has made read-only.</summary>
    Task<bool> IsReadOnlyAsync(CancellationToken ct);

    /// <summary>Leaves <paramref name="ids"/> ids for this broker; returns the first.</summary>
    Task<long> ReserveIdsAsync(int ids, CancellationToken ct);

    /// <summary>Tells other brokers; a no-op on an engine with one.</summary>
    Task NotifyAsync(IReadOnlyCollection<string> topics, CancellationToken ct);
}

/// <summary>The store cannot be reached or cannot write at present: try again later (503).</summary>
public sealed class StoreUnavailableException(string message, Exception inner) : Exception(message, inner);
