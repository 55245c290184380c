using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Lanes;

/// <summary>Lanes that take turns, and the work that waits for them. Bounded: callers wait when it is full.</summary>
internal sealed class LaneGroup : IAsyncDisposable
{
    private const int MostWaiting = 8192;

    private readonly Channel<Work> waiting = Channel.CreateBounded<Work>(MostWaiting);
    private readonly SemaphoreSlim turns;
    private readonly Lane[] lanes;

    public LaneGroup(IEngine engine, BatchServices services, ILogger log)
    {
        turns = new SemaphoreSlim(engine.Turns);
        lanes = [.. Enumerable.Range(0, engine.Lanes).Select(_ => new Lane(waiting.Reader, turns, engine, services, log))];
    }

    public ChannelWriter<Work> Waiting => waiting.Writer;

    /// <summary>Finishes what is waiting.</summary>
    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        foreach (var lane in lanes) await lane.DisposeAsync();
        turns.Dispose();
    }
}
