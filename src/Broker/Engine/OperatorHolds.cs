using System.Collections.Frozen;
using Broker.Background;
using Broker.Startup;
using Broker.Storage.Contracts;

namespace Broker.Engine;

/// <summary>
/// Cache of the orders of operators: drained workers, workflows that start no runs, and maintenance. A claim or a start looks here and asks no database. An order of
/// another broker counts within 2 s.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle.")]
internal sealed class OperatorHolds(IHoldStore store)
{
    private readonly SemaphoreSlim refreshing = new(1);
    private volatile Known known = Known.None;

    /// <summary>The order that gives the worker no steps; null: it gets steps.</summary>
    public Hold? OfWorker(string id) => known.Workers.Count == 0 ? null : known.Workers.GetValueOrDefault(id);

    /// <summary>The order that starts no runs of the workflow; null: they start.</summary>
    public Hold? OfStarts(string workflow) => known.Starts.Count == 0 ? null : known.Starts.GetValueOrDefault(workflow);

    /// <summary>The order that gives no worker steps; null: there is none.</summary>
    public Hold? Maintenance => known.Maintenance;

    /// <summary>Whether an order of either kind gives the worker no steps.</summary>
    public bool HoldsBack(string workerId) => known.Maintenance is not null || OfWorker(workerId) is not null;

    public IReadOnlyCollection<Hold> Workers => known.Workers.Values;

    public IReadOnlyCollection<Hold> Starts => known.Starts.Values;

    public async Task PutAsync(HoldKind kind, string name, string keyId, string? reason, CancellationToken ct)
    {
        await store.PutAsync(kind, name, keyId, reason, ct);
        await RefreshAsync(ct);
    }

    /// <summary>False: there was no such order.</summary>
    public async Task<bool> RemoveAsync(HoldKind kind, string name, CancellationToken ct)
    {
        var isRemoved = await store.RemoveAsync(kind, name, ct);
        await RefreshAsync(ct);
        return isRemoved;
    }

    /// <summary>Reads all orders, one refresh after another: an older reading must not replace a newer one.</summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        await refreshing.WaitAsync(ct);
        try
        {
            var holds = await store.ListAsync(ct);
            known = holds.Count == 0 ? Known.None : new(Of(HoldKind.Worker), Of(HoldKind.Starts), holds.FirstOrDefault(hold => hold.Kind is HoldKind.Maintenance));
            FrozenDictionary<string, Hold> Of(HoldKind kind) => holds.Where(hold => hold.Kind == kind).ToFrozenDictionary(hold => hold.Name, StringComparer.Ordinal);
        }
        finally
        {
            refreshing.Release();
        }
    }

    private sealed record Known(FrozenDictionary<string, Hold> Workers, FrozenDictionary<string, Hold> Starts, Hold? Maintenance)
    {
        public static Known None { get; } = new(FrozenDictionary<string, Hold>.Empty, FrozenDictionary<string, Hold>.Empty, null);
    }
}

/// <summary>Reads the orders before the first claim or start.</summary>
internal sealed class HoldStartup(OperatorHolds holds) : IStartStep
{
    public Task RunAsync(CancellationToken ct) => holds.RefreshAsync(ct);
}

/// <summary>Reads the orders of other brokers.</summary>
internal sealed class HoldRefresh(OperatorHolds holds, TimeProvider clock, ILogger<HoldRefresh> log) : PeriodicService(TimeSpan.FromSeconds(2), clock, log)
{
    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await holds.RefreshAsync(ct);
        return 0;
    }
}
