using Microsoft.Extensions.Logging;

namespace Broker.Storage.Lanes;

/// <summary>The lanes of this broker.</summary>
internal sealed class LaneSet(IEngine engine, BatchServices services, ILogger<LaneSet> log) : IAsyncDisposable
{
    private readonly Lane[] lanes = [.. Enumerable.Range(0, engine.Lanes).Select(_ => new Lane(engine, services, log))];
    private int turn;

    public async Task<T> RunAsync<T>(Work<T> work, CancellationToken ct)
    {
        await Pick(work).EnqueueAsync(work, ct);

        // Not given up with the caller: once it is waiting, it may already be part of a commit.
        return await work.Done;
    }

    public async Task<IReadOnlyList<T>> RunAsync<T>(IReadOnlyList<Work<T>> works, CancellationToken ct)
    {
        if (works.Count == 0) return [];
        foreach (var work in works) await Pick(work).EnqueueAsync(work, ct);
        return await Task.WhenAll(works.Select(w => w.Done));
    }

    private Lane Pick(Work work)
    {
        var key = work.Affinity != 0 ? work.Affinity : Interlocked.Increment(ref turn);
        return lanes[(int)((ulong)key % (ulong)lanes.Length)];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var lane in lanes) await lane.DisposeAsync();
    }
}
