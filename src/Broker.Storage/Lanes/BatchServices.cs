using System.Collections.Concurrent;
using Broker.Core.Runs;
using Broker.Storage.Changes;
using Broker.Storage.Stores;

namespace Broker.Storage.Lanes;

/// <summary>What every transaction uses beside its connection: caches of immutable rows, ids, and whom to tell.</summary>
internal sealed record BatchServices(DefinitionCache Definitions, QueueRegistry Queues, NameCache Names, IdBlocks Ids, ChangeHub Changes, ClaimGate Gate, StoreHealth Health, int DefaultLeaseSecs);

/// <summary>
/// Run names → ids, for reports by name. A name never changes its id while the run exists; a purged one leaves, and a stale entry only
/// leads to a run that is not there. Bounded: the older half goes when it is full.
/// </summary>
internal sealed class NameCache
{
    private const int HalfSize = 50_000;
    private ConcurrentDictionary<RunName, (long, int)> young = new();
    private ConcurrentDictionary<RunName, (long, int)> old = new();
    private int added;

    public bool TryGet(RunName name, out (long Id, int DefinitionId) run) =>
        name.Number is null ? Missing(out run) : young.TryGetValue(name, out run) || old.TryGetValue(name, out run);

    public void Add(RunName name, (long Id, int DefinitionId) run)
    {
        if (young.TryGetValue(name, out var known) && known == run) return;
        young[name] = run;

        // Counted here: the dictionary's own count takes all its locks, and asking it at each claim was 10 % of the broker's processor time.
        if (Interlocked.Increment(ref added) < HalfSize) return;
        (old, young, added) = (young, new(), 0);
    }

    public void Forget(RunRef run)
    {
        for (var number = 0; number <= run.Number; number++) Forget(new RunName(run.Workflow, run.InstanceId, number));
    }

    public void Forget(RunName name)
    {
        young.TryRemove(name, out _);
        old.TryRemove(name, out _);
    }

    private static bool Missing(out (long, int) run)
    {
        run = default;
        return false;
    }
}

/// <summary>Run ids in blocks from the database, so that starting a run takes no exchange for its id.</summary>
internal sealed class IdBlocks(IEngine engine)
{
    private const int Block = 1024;
    private readonly Lock turn = new();
    private long next;
    private long end;

    public long Next()
    {
        lock (turn)
        {
            if (next == end)
            {
                next = engine.ReserveIds(Block);
                end = next + Block;
            }

            return next++;
        }
    }
}
