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
/// One transaction on one engine: the whole list of what differs between them on the hot path. Its calls block: lanes have threads of
/// their own (see <see cref="Lane"/>). Order of locks, everywhere: ids of claims, run rows by
/// id, then step rows (claims skip locked ones), then inbox rows, then stream rows by run id. Nobody waits against that order, but for
/// reports that have looked at the inbox and then write their steps: a deadlock of theirs is tried again.
/// </summary>
internal interface IUnit : IDisposable
{
    /// <summary>Ends a transaction that has failed; throws when the connection is no longer sound.</summary>
    void Rollback();

    /// <summary>Runs by name: id and definition; (0, 0) where there is none. Begins the transaction if it has not begun.</summary>
    (long Id, int DefinitionId)[] Resolve(IReadOnlyList<RunName> names);

    /// <summary>
    /// The live leases that were granted to these claims before, each found by its fence and worker. First of all: it makes every other transaction
    /// with one of these claims wait until this one has ended. Begins the transaction.
    /// </summary>
    IReadOnlyList<HeldLease> Granted(IReadOnlyList<ClaimWork> claims);

    /// <summary>
    /// Begins, locks the runs in order of id, reads the named steps, if it is wished under a lock of their own, and takes the time: after the
    /// locks, by the store's clock.
    /// </summary>
    Loaded Begin(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, bool locksSteps);

    /// <summary>
    /// The runs and steps of these leases without an exchange and without locks, if they are all remembered: <see cref="Write"/> looks whether that
    /// was right. Null: begin as usual. Only where nothing else in the transaction locks runs: those here are locked when it writes.
    /// </summary>
    Loaded? Recall(IReadOnlyList<HeldLease> leases);

    /// <summary>The store's clock, where nothing needs to be loaded.</summary>
    DateTimeOffset Now();

    /// <summary>Reads and locks the active steps, and those that still hold a lease, of runs that are locked.</summary>
    ILookup<long, StepState> ActiveSteps(IReadOnlyList<long> runs);

    /// <summary>The active steps of runs that are locked, without locking them: what only a command on the run can change.</summary>
    ILookup<long, int> ActiveIndexes(IReadOnlyList<long> runs);

    /// <summary>Gives steps that have just been leased the pending events of the types they accept; with those that they were given before.</summary>
    ILookup<StepKey, InboundEvent> TakeMail(IReadOnlyList<(StepKey Step, string Type)> accepted);

    /// <summary>Undelivered inbound events of runs that are locked. Locks them, so that no step is given them meanwhile.</summary>
    ILookup<long, InboundEvent> Mail(IReadOnlyList<long> runs);

    /// <summary>For each id that a sender gave, whether its run, which is locked, has an event of it.</summary>
    bool[] KnownEvents(IReadOnlyList<(long RunId, string ClientId)> ids);

    /// <summary>Results of those of the named steps that have finished.</summary>
    IReadOnlyList<(StepKey Step, string? Result)> Results(IReadOnlyList<StepKey> steps);

    /// <summary>All runs of an instance, whatever their number: for purging.</summary>
    IReadOnlyList<long> RunsOf(string workflow, string instanceId);

    /// <summary>What a further run takes over from a run.</summary>
    Inherited Inherited(long runId);

    /// <summary>Starts that were made under these keys before.</summary>
    IReadOnlyList<StartKeyRow> StartKeys(IReadOnlyList<string> keys);

    /// <summary>
    /// Makes the commit wait for standbys although nothing is written: what was read may be a commit that no standby has confirmed, and the answer
    /// says that it is there.
    /// </summary>
    void Confirm();

    /// <summary>Writes everything and then hands out steps. Returns what was leased, and for each heartbeat the status it found (null: gone).</summary>
    (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<StepStatus?> Heartbeats) Write(
        ChangeSet changes, IReadOnlyList<ClaimGroup> claims);

    /// <summary>Numbers and appends events to their runs' streams.</summary>
    void AppendEvents(IReadOnlyList<Appended> events);

    /// <summary>Adds to the sizes of logs; null for those that are cut.</summary>
    IReadOnlyList<long?> ChargeLogs(IReadOnlyList<LogSize> sizes);

    /// <summary>Marks logs as cut, with what they hold.</summary>
    void CutLogs(IReadOnlyList<LogSize> sizes);

    /// <summary>
    /// Writes log lines and commits, and reads the results that the leased steps are given, in the same exchange. Lines come last: a job's lines
    /// are numbered under a lock that is then held for the commit alone, and no transaction waits for another lock while it holds that one.
    /// </summary>
    IReadOnlyList<(StepKey Step, string? Result)> Commit(IReadOnlyList<StepKey> upstream, IReadOnlyList<LogLineRow> lines);
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

    /// <summary>Whether claims have as many turns and lanes of their own.</summary>
    bool ClaimsApart { get; }

    /// <summary>A connection for transactions, one after the other; the lane keeps it until one of them fails.</summary>
    IUnit Open(DefinitionCache definitions);

    /// <summary>A context for everything that is not the hot path.</summary>
    BrokerDb CreateContext();

    /// <summary>The store's clock.</summary>
    Task<DateTimeOffset> NowAsync(CancellationToken ct);

    /// <summary>
    /// The store's clock, perhaps a moment behind it, and mostly without an exchange: to look for what may be due. What is found so is judged by the
    /// clock itself.
    /// </summary>
    Task<DateTimeOffset> NowOrBeforeAsync(CancellationToken ct);

    /// <summary>Asks the database for a sign of life; throws when there is none.</summary>
    Task PingAsync(CancellationToken ct);

    /// <summary><see cref="IUnit.Confirm"/> for the transaction of a context.</summary>
    Task ConfirmAsync(BrokerDb db, CancellationToken ct);

    /// <summary>Held around every write on an engine with a single writer.</summary>
    Task<IDisposable> WriteTurnAsync(CancellationToken ct);

    /// <summary>The same for a lane, which waits on its own thread.</summary>
    IDisposable WriteTurn();

    /// <summary>Held while migrations are applied.</summary>
    Task<IAsyncDisposable> MigrationTurnAsync(CancellationToken ct);

    /// <summary>Whether trying the same transaction again may help: deadlock, serialisation.</summary>
    bool IsTransient(Exception fault);

    /// <summary>Whether the connection on which this has happened is not to be used again.</summary>
    bool SpoilsConnection(Exception fault);

    /// <summary>Whether a row with that key is there already.</summary>
    bool IsDuplicate(Exception fault);

    /// <summary>Whether the database cannot be reached, or cannot write, at present.</summary>
    bool IsUnavailable(Exception fault);

    /// <summary>Whether waiting may help a start that failed with this: the database cannot be reached. A wrong password or a full disk is no such fault.</summary>
    bool IsAway(Exception fault);

    /// <summary>Whether the database refuses writes although it answers: a standby, or one that an operator has made read-only.</summary>
    Task<bool> IsReadOnlyAsync(CancellationToken ct);

    /// <summary>
    /// Null when the database confirms a commit, else the reason. It is tried with a commit of its own, in bounded time, if the database waits for
    /// standbys or if <paramref name="inDoubt"/> says that an earlier commit was not confirmed.
    /// </summary>
    Task<string?> CommitFaultAsync(bool inDoubt, CancellationToken ct);

    /// <summary>Leaves <paramref name="ids"/> ids for this broker; returns the first.</summary>
    long ReserveIds(int ids);

    /// <summary>Tells other brokers; a no-op on an engine with one.</summary>
    Task NotifyAsync(IReadOnlyCollection<string> topics, CancellationToken ct);
}

/// <summary>The store cannot be reached or cannot write at present: try again later (503).</summary>
public class StoreUnavailableException(string message, Exception? inner) : Exception(message, inner);

/// <summary>A commit was sent and not confirmed: its transaction may be durable, lost, or on the primary alone (503). It is never tried again here.</summary>
public sealed class OutcomeUnknownException(string reason, Exception? inner)
    : StoreUnavailableException($"The outcome is unknown: the database did not confirm the commit ({reason}). Send the same request again, or look at what it should have changed.", inner);
