using Microsoft.Extensions.Logging;

namespace Broker.Storage.Lanes;

/// <summary>
/// The lanes of this broker. Where the engine works on several transactions at once, claims have lanes of their own: they decide nothing and
/// hardly ever wait for a lock, so one of their transactions and one of all the others get on side by side. Measured on two cores: a sixth more
/// steps a second with 32 workers, a ninth with 128. Two turns for all alike halve the batches: an eighth fewer.
/// </summary>
internal sealed class LaneSet : IAsyncDisposable
{
    private readonly LaneGroup changes;
    private readonly LaneGroup claims;

    public LaneSet(IEngine engine, BatchServices services, ILogger<LaneSet> log)
    {
        changes = new LaneGroup(engine, services, log);
        claims = engine.ClaimsApart ? new LaneGroup(engine, services, log) : changes;
    }

    // Not given up with the caller: once it is waiting, it may already be part of a commit.
    public Task<T> RunAsync<T>(Work<T> work, CancellationToken ct) =>
        !ct.IsCancellationRequested && LanesFor(work).TryAdd(work) ? work.Done : RunWhenThereIsRoomAsync(work, ct);

    private async Task<T> RunWhenThereIsRoomAsync<T>(Work<T> work, CancellationToken ct)
    {
        await LanesFor(work).AddAsync(work, ct);
        return await work.Done;
    }

    public async Task<IReadOnlyList<T>> RunAsync<T>(IReadOnlyList<Work<T>> works, CancellationToken ct)
    {
        await AddAsync(works, ct);
        return await Task.WhenAll(works.Select(w => w.Done));
    }

    /// <summary>What one request asks for: one transaction for it, up to as many as a lane takes together.</summary>
    public async Task AddAsync(IReadOnlyList<Work> works, CancellationToken ct)
    {
        for (var first = 0; first < works.Count; first += Lane.MostTogether)
        {
            var end = Math.Min(works.Count, first + Lane.MostTogether);
            for (var i = first + 1; i < end; i++) works[i - 1].Next = works[i];
            await LanesFor(works[first]).AddAsync(works[first], ct);
        }
    }

    // A claim that comes after reports goes with them.
    private LaneGroup LanesFor(Work first) => first is ClaimWork ? claims : changes;

    public async ValueTask DisposeAsync()
    {
        await changes.DisposeAsync();
        if (claims != changes) await claims.DisposeAsync();
    }
}
