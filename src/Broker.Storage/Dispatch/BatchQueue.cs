using System.Threading.Channels;
using Broker.Storage.Dispatch.Commands;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Dispatch;

/// <summary>Commands that wait, and the batch loops that run them. Bounded: callers wait when it is full.</summary>
internal sealed class BatchQueue : IAsyncDisposable
{
    private const int MostWaiting = 8192;

    private readonly Channel<StoreCommand> waiting = Channel.CreateBounded<StoreCommand>(MostWaiting);
    private readonly BatchSlots slots;
    private readonly BatchLoop[] loops;

    public BatchQueue(IDatabaseEngine engine, BatchServices services, ILogger log)
    {
        slots = new BatchSlots(engine.Slots, waiting.Reader);
        loops = [.. Enumerable.Range(0, engine.Loops).Select(_ => new BatchLoop(waiting.Reader, slots, engine, services, log))];
    }

    /// <summary>False when there is no room at present.</summary>
    public bool TryAdd(StoreCommand command)
    {
        if (!waiting.Writer.TryWrite(command)) return false;
        slots.CommandAdded();
        return true;
    }

    /// <summary>Waits for room.</summary>
    public async ValueTask AddAsync(StoreCommand command, CancellationToken ct)
    {
        await waiting.Writer.WriteAsync(command, ct);
        slots.CommandAdded();
    }

    /// <summary>Runs the waiting commands, then ends the loops.</summary>
    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        slots.Close();
        foreach (var loop in loops) await loop.DisposeAsync();
    }
}
