using Broker.Core.Definitions;
using Broker.Core.Steps;
using Broker.Storage.Caching;
using Broker.Storage.Tables;

namespace Broker.Storage.Postgres.Caching;

/// <summary>
/// Cache of small step results for the steps that follow. Within one history of the database a result never changes, so a cached one needs no check. One
/// connection's view: results of its open transaction are not shared. Measured: reading them was 5 % of the server's work.
/// </summary>
/// <param name="runCache">Has what all connections share.</param>
internal sealed class StepResultCache(RunCache runCache)
{
    /// <summary>Entries in one half of the shared cache.</summary>
    public const int Half = 16_384;

    private const int MostChars = 512;

    private readonly Dictionary<StepKey, string?> own = [];
    private ConcurrentLru<StepKey, string?> committed = runCache.Results;

    /// <summary>A transaction begins: it adds to what is shared now, not to what replaces it when another history is found.</summary>
    public void Begin() => committed = runCache.Results;

    public void Ended(List<StepRow> steps)
    {
        if (!runCache.KeepsResults) return;
        foreach (var step in steps)
        {
            // No step is given the result of a single item.
            if (step.Idx >= StepDefinition.FirstDynamic) continue;
            if ((StepStatus)step.Status is StepStatus.Succeeded or StepStatus.Skipped && (step.Result is null || step.Result.Length <= MostChars))
                own[new StepKey(step.RunId, step.Idx)] = step.Result;
        }
    }

    /// <summary>Adds what is known to <paramref name="results"/>; returns the others.</summary>
    public List<StepKey> Find(IReadOnlyList<StepKey> steps, List<(StepKey Step, string? Result)> results)
    {
        var others = new List<StepKey>();
        foreach (var step in steps)
        {
            if (own.TryGetValue(step, out var result) || committed.TryGet(step, out result)) results.Add((step, result));
            else others.Add(step);
        }

        return others;
    }

    public void Committed()
    {
        foreach (var (step, result) in own) committed.Set(step, result);
        own.Clear();
    }

    public void RolledBack() => own.Clear();
}
