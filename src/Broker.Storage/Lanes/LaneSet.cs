using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Lanes;

/// <summary>The lanes of this broker and the work that waits for them. Bounded: callers wait when it is full.</summary>
internal sealed class LaneSet : IAsyncDisposable
{
    private const int MostWaiting = 8192;

    private readonly Channel<Work> waiting = Channel.CreateBounded<Work>(MostWaiting);
    private readonly SemaphoreSlim turns;
    private readonly Lane[] lanes;

    public LaneSet(IEngine engine, BatchServices services, ILogger<LaneSet> log)
    {
        turns = new SemaphoreSlim(engine.Turns);
        lanes = [.. Enumerable.Range(0, engine.Lanes).Select(_ => new Lane(waiting.Reader, turns, engine, services, log))];
    }

    // Not given up with the caller: once it is waiting, it may already be part of a commit.
    public Task<T> RunAsync<T>(Work<T> work, CancellationToken ct) =>
        !ct.IsCancellationRequested && waiting.Writer.TryWrite(work) ? work.Done : RunWhenThereIsRoomAsync(work, ct);

    private async Task<T> RunWhenThereIsRoomAsync<T>(Work<T> work, CancellationToken ct)
    {
        await waiting.Writer.WriteAsync(work, ct);
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
            await waiting.Writer.WriteAsync(works[first], ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        foreach (var lane in lanes) await lane.DisposeAsync();
        turns.Dispose();
    }
}
