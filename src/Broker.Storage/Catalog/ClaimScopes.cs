using System.Collections.Concurrent;
using System.Text.Json;
using Broker.Core.Runs;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Catalog;

/// <summary>Which queues a claim may have.</summary>
internal sealed class ClaimScopes(IDatabase database, QueueCatalog queues, DefinitionCache definitions)
{
    // The registration of a worker never changes. Worker ids are ours and few; the bound is against forged ones.
    private const int MostKnown = 100_000;
    private volatile ConcurrentDictionary<string, int[]> registered = new(StringComparer.Ordinal);

    /// <summary>The queues that are open to a claim.</summary>
    public async ValueTask<ClaimQueues> QueuesOfAsync(ClaimRequest claim, CancellationToken ct)
    {
        if (!queues.IsRead) await queues.RefreshAsync(ct);
        var labels = claim.Labels.Count == 0 ? "[]" : JsonSerializer.Serialize(claim.Labels);
        if (claim.Scope is ClaimScope.ByLabels)
        {
            var byLabels = "l" + labels;
            var key = claim.Workflows is null ? byLabels : byLabels + LimitOf(claim.Workflows);
            return new(key, queues.ForLabels(byLabels, claim.Labels));
        }

        var ids = await DefinitionsOfAsync(claim.WorkerId, ct);
        var registeredKey = $"d{string.Join(',', ids)}{labels}";
        return new(registeredKey, queues.ForDefinitions(registeredKey, ids, claim.Labels));
    }

    /// <summary>Equal for claims that may get steps of the same workflows.</summary>
    public static string LimitOf(IReadOnlyList<string> workflows) => JsonSerializer.Serialize(workflows);

    public void Remember(string worker, int[] ids) => registered[worker] = ids;

    public void Forget() => registered = new(StringComparer.Ordinal);

    /// <summary>Names of the workflows that the worker has registered.</summary>
    public async ValueTask<IReadOnlyList<string>> WorkflowsOfAsync(string worker, CancellationToken ct)
    {
        var ids = await DefinitionsOfAsync(worker, ct);
        var names = new string[ids.Length];
        for (var i = 0; i < ids.Length; i++) names[i] = (await definitions.GetAsync(ids[i], ct)).Name;
        return names;
    }

    private async ValueTask<int[]> DefinitionsOfAsync(string worker, CancellationToken ct)
    {
        var remembered = registered;
        if (remembered.TryGetValue(worker, out var known)) return known;
        if (!StorableText.Fits(worker)) return [];
        await using var db = database.CreateContext();
        var row = await db.Workers.AsNoTracking().SingleOrDefaultAsync(w => w.Id == worker, ct);
        if (row is null) return [];

        var ids = JsonSerializer.Deserialize<int[]>(row.Definitions)!;
        foreach (var id in ids) await queues.EnsureAsync(await definitions.GetAsync(id, ct), id, ct);
        if (remembered.Count > MostKnown) remembered.Clear();
        remembered[worker] = ids;
        return ids;
    }
}
