using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>
/// One transaction on one engine: the whole list of what differs between them on the hot path. Its calls block: batch loops have
/// threads of their own (see <see cref="BatchLoop"/>). The order of locks is the same everywhere: ids of claims, run rows by
/// id, then step rows (claims skip locked ones). Inbox rows follow, then stream rows by run id. No transaction waits against that order,
/// except reports that have read the inbox and then write their steps: a deadlock of theirs is retried.
/// </summary>
internal interface IBatchTransaction : IDisposable
{
    /// <summary>Ends a transaction that has failed; throws when the connection is no longer sound.</summary>
    void Rollback();

    /// <summary>Runs by name: id and definition; (0, 0) where there is none. Begins the transaction if it has not begun.</summary>
    (long Id, int DefinitionId)[] Resolve(IReadOnlyList<RunName> names);

    /// <summary>
    /// The live leases that were granted to these claims before, each found by its fence and worker. First of all: it makes every other transaction
    /// with one of these claims wait until this one has ended. Begins the transaction.
    /// </summary>
    IReadOnlyList<LeaseRef> Granted(IReadOnlyList<ClaimCommand> claims);

    /// <summary>
    /// Begins, locks the runs in order of id, and reads the named steps, if it is wished under a lock of their own. It takes the time after
    /// the locks, by the store's clock.
    /// </summary>
    Loaded Begin(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, bool locksSteps);

    /// <summary>
    /// The runs and steps of these leases without an exchange and without locks, if they are all cached: <see cref="Write"/> checks the
    /// cached rows. Null: begin as usual. Only where nothing else in the transaction locks runs: those here are locked when it writes.
    /// </summary>
    Loaded? TryLoadCached(IReadOnlyList<LeaseRef> leases);

    /// <summary>The store's clock, where nothing needs to be loaded.</summary>
    DateTimeOffset Now();

    /// <summary>Reads and locks the active steps, and those that still hold a lease, of runs that are locked.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="below">Only steps with an index below.</param>
    ILookup<long, StepState> ActiveSteps(IReadOnlyList<long> runs, int below = int.MaxValue);

    /// <summary>The named steps of runs that are locked, without locking them.</summary>
    ILookup<long, StepState> Steps(IReadOnlyList<StepKey> steps);

    /// <summary>Indexes of a stretch of items that have no result, in order.</summary>
    IReadOnlyList<int> MissingItems(long runId, int first, int end, int most);

    /// <summary>Results of a stretch of items, by index.</summary>
    IReadOnlyDictionary<int, string?> ItemResults(long runId, int first, int end);

    /// <summary>
    /// Every reached step of the runs' definitions: for conditions. No lock, so a step that is shown as ready may be leased by now. Steps are reached and end with
    /// their run's row alone.
    /// </summary>
    ILookup<long, StepState> AllSteps(IReadOnlyList<long> runs);

    /// <summary>The active steps of runs that are locked, without locking them: what only a command on the run can change.</summary>
    ILookup<long, int> ActiveIndexes(IReadOnlyList<long> runs);

    /// <summary>Gives steps that have just been leased the pending events of the types they accept; with those that they were given before.</summary>
    ILookup<StepKey, InboxEvent> TakeInboxEvents(IReadOnlyList<(StepKey Step, string Type)> accepted);

    /// <summary>Undelivered inbound events of runs that are locked. Locks them, so that no step is given them meanwhile.</summary>
    ILookup<long, InboxEvent> InboxEvents(IReadOnlyList<long> runs);

    /// <summary>For each id that a sender gave, whether its run, which is locked, has an event of it.</summary>
    bool[] KnownEvents(IReadOnlyList<(long RunId, string ClientId)> ids);

    /// <summary>Results of those of the named steps that have finished.</summary>
    IReadOnlyList<(StepKey Step, string? Result)> Results(IReadOnlyList<StepKey> steps);

    /// <summary>All runs of these instances, whatever their number: for purging.</summary>
    IReadOnlyList<long> RunsOf(IReadOnlyList<(string Workflow, string InstanceId)> instances);

    /// <summary>Data that further runs take over from these runs, by their ids.</summary>
    IReadOnlyDictionary<long, Inherited> Inherited(IReadOnlyList<long> runs);

    /// <summary>Starts that were made under these keys before.</summary>
    IReadOnlyList<StartKeyRow> StartKeys(IReadOnlyList<string> keys);

    /// <summary>
    /// Makes the commit wait for standbys although nothing is written. The rows that were read may belong to a commit that no standby has confirmed,
    /// and the answer says that they are there.
    /// </summary>
    void Confirm();

    /// <summary>Writes everything and then hands out steps. Returns what was leased, and what each heartbeat found (null: gone).</summary>
    (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(
        ChangeSet changes, IReadOnlyList<ClaimGroup> claims);

    /// <summary>Numbers and appends events to their runs' streams.</summary>
    void AppendEvents(IReadOnlyList<Appended> events);

    /// <summary>Adds to the sizes of logs; null for those that are cut.</summary>
    IReadOnlyList<long?> ChargeLogs(IReadOnlyList<LogSize> sizes);

    /// <summary>Marks logs as cut, with what they hold.</summary>
    void CutLogs(IReadOnlyList<LogSize> sizes);

    /// <summary>
    /// Writes log lines and commits, and reads the results that the leased steps are given, in the same exchange. Lines come last. A job's lines
    /// are numbered under a lock that is then held for the commit alone. No transaction waits for another lock while it holds that one.
    /// </summary>
    IReadOnlyList<(StepKey Step, string? Result)> Commit(IReadOnlyList<StepKey> upstream, IReadOnlyList<LogLineRow> lines);
}

/// <summary>Payloads of a run, raw JSON, the limit that its start gave it, and the creation of its instance.</summary>
internal sealed record Inherited(string Inputs, string? Context, string? StartContext, string? Tags, long? LimitMs, long InstanceCreatedAt);
