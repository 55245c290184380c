using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Lanes;

/// <summary>Lanes that take turns, and the work that waits for them. Bounded: callers wait when it is full.</summary>
internal sealed class LaneGroup : IAsyncDisposable
{
    private const int MostWaiting = 8192;

    private readonly Channel<Work> waiting = Channel.CreateBounded<Work>(MostWaiting);
    private readonly LaneTurns turns;
    private readonly Lane[] lanes;

    public LaneGroup(IEngine engine, BatchServices services, ILogger log)
    {
        turns = new LaneTurns(engine.Turns, waiting.Reader);
        lanes = [.. Enumerable.Range(0, engine.Lanes).Select(_ => new Lane(waiting.Reader, turns, engine, services, log))];
    }

    /// <summary>False when there is no room at present.</summary>
    public bool TryAdd(Work work)
    {
        if (!waiting.Writer.TryWrite(work)) return false;
        turns.WorkCame();
        return true;
    }

    /// <summary>Waits for room.</summary>
    public async ValueTask AddAsync(Work work, CancellationToken ct)
    {
        await waiting.Writer.WriteAsync(work, ct);
        turns.WorkCame();
    }

    /// <summary>Finishes what is waiting.</summary>
    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        turns.Close();
        foreach (var lane in lanes) await lane.DisposeAsync();
    }
}
