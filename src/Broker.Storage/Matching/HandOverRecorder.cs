using Broker.Core.Steps;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Matching;

/// <summary>Records hand-overs from memory that no report has recorded, by heartbeats of its own: a lease that is lost later is charged.</summary>
internal sealed partial class HandOverRecorder : IAsyncDisposable
{
    private readonly HandOvers handOvers;
    private readonly Batcher batcher;
    private readonly ILogger log;
    private readonly ITimer timer;

    public HandOverRecorder(HandOvers handOvers, Batcher batcher, TimeProvider clock, ILogger<HandOverRecorder> log)
    {
        (this.handOvers, this.batcher, this.log) = (handOvers, batcher, log);
        timer = clock.CreateTimer(static recorder => _ = ((HandOverRecorder)recorder!).RecordDueAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(LeaseId lease)
    {
        if (handOvers.Add(lease)) WakeIn(HandOvers.Delay);
    }

    private Task RecordDueAsync()
    {
        var (leases, next) = handOvers.TakeDue();
        if (next is { } left) WakeIn(left);
        return RecordAsync(leases);
    }

    private async Task RecordAsync(List<LeaseId> leases)
    {
        if (leases.Count == 0) return;
        try
        {
            await batcher.RunAsync(leases.Select(lease => new HeartbeatCommand(lease)).ToList(), CancellationToken.None);
        }
        catch (Exception fault)
        {
            LogUnrecorded(log, fault, leases.Count);
        }
    }

    private void WakeIn(TimeSpan time) => timer.Change(time < TimeSpan.FromMilliseconds(1) ? TimeSpan.Zero : time, Timeout.InfiniteTimeSpan);

    /// <summary>While the batcher still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        await RecordAsync(handOvers.TakeAll());
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The hand-over of {Count} steps that were leased ahead could not be recorded; if their leases run out, they are charged nothing")]
    private static partial void LogUnrecorded(ILogger logger, Exception fault, int count);
}
