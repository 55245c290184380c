using Broker.Core.Runs;
using Broker.Storage.Changes;
using Broker.Storage.Stores;

namespace Broker.Storage.Lanes;

/// <summary>What every transaction uses beside its connection: caches of immutable rows, ids, and whom to tell.</summary>
internal sealed record BatchServices(
    DefinitionCache Definitions, QueueRegistry Queues, NameCache Names, IdBlocks Ids, ChangeHub Changes, ClaimGate Gate, Prefetch Prefetch, HandOvers HandOvers,
    ClaimCursors Cursors, StoreHealth Health, StoreEpoch Epoch, LogLimit LogLimit, int DefaultLeaseSecs);

/// <summary>
/// Run names → ids, for reports by name. A name never changes its id while the run exists; a purged one leaves, and a stale entry only
/// leads to a run that is not there.
/// </summary>
internal sealed class NameCache
{
    private const int Half = 50_000;

    private volatile HalvingCache<RunName, (long Id, int DefinitionId)> runs = new(Half);

    public bool TryGet(RunName name, out (long Id, int DefinitionId) run)
    {
        run = default;
        return name.Number is not null && runs.TryGet(name, out run);
    }

    public void Add(RunName name, (long Id, int DefinitionId) run) => runs.Set(name, run);

    public void Forget(RunRef run)
    {
        for (var number = 0; number <= run.Number; number++) Forget(new RunName(run.Workflow, run.InstanceId, number));
    }

    public void Forget(RunName name) => runs.Remove(name);

    public void ForgetAll() => runs = new(Half);
}

/// <summary>Run ids in blocks from the database, so that starting a run takes no exchange for its id. A block is of one epoch: another may have given it away.</summary>
internal sealed class IdBlocks(IEngine engine, StoreEpoch epoch)
{
    private const int Block = 1024;
    private readonly Lock turn = new();
    private long next;
    private long end;
    private int reservedIn;

    public long Next()
    {
        lock (turn)
        {
            while (next == end || reservedIn != epoch.Number)
            {
                reservedIn = epoch.Number;
                next = engine.ReserveIds(Block);
                end = next + Block;
            }

            return next++;
        }
    }
}
