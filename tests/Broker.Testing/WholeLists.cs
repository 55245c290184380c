using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Contracts;

namespace Broker.Testing;

/// <summary>Lists read to their ends.</summary>
internal static class WholeLists
{
    /// <summary>Current runs of all instances, or of some workflows, oldest first.</summary>
    public static async Task<IReadOnlyList<RunView>> ListAsync(this IHistory history, IReadOnlyList<string>? workflows, CancellationToken ct, int page = 100)
    {
        var walk = await history.WalkAsync(workflows, null, ct);
        var all = new List<RunView>();
        while (await walk.NextAsync(page, ct) is { Count: > 0 } next) all.AddRange(next);
        return all;
    }

    /// <summary>The latest definition of each name, in order of first registration.</summary>
    public static async Task<IReadOnlyList<WorkflowDefinition>> ListAsync(this IDefinitionStore definitions, CancellationToken ct)
    {
        var all = new List<WorkflowDefinition>();
        foreach (var head in await definitions.HeadsAsync(0, int.MaxValue, ct)) all.Add(await definitions.GetAsync(head, ct));
        return all;
    }

    /// <summary>Workers of a kind in order of registration.</summary>
    public static async Task<IReadOnlyList<WorkerView>> ListAsync(
        this IWorkerStore workers, WorkerKind kind, DateTimeOffset? seenSince, CancellationToken ct, int page = 100)
    {
        var all = new List<WorkerView>();
        while (true)
        {
            var next = await workers.ListAsync(kind, seenSince, all.Count == 0 ? null : all[^1], page, ct);
            all.AddRange(next);
            if (next.Count < page) return all;
        }
    }
}
