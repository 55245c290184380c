using Broker.Core.Runs;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Matching;

/// <summary>Returns eagerly granted steps that no worker claimed in time: they are ready again at their old place, charged nothing.</summary>
internal sealed partial class EagerDispatchReclaimer : IAsyncDisposable
{
    private readonly EagerDispatch eager;
    private readonly Batcher batcher;
    private readonly ILogger log;
    private readonly ITimer timer;

    public EagerDispatchReclaimer(EagerDispatch eager, Batcher batcher, TimeProvider clock, ILogger<EagerDispatchReclaimer> log)
    {
        (this.eager, this.batcher, this.log) = (eager, batcher, log);
        timer = clock.CreateTimer(static reclaimer => _ = ((EagerDispatchReclaimer)reclaimer!).ReturnOverdueAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        eager.ReturnDue += WakeIn;
    }

    public async Task ReturnAsync(IReadOnlyList<Assignment> steps)
    {
        if (steps.Count > 0) await batcher.RunAsync(steps.Select(step => new ReportCommand(step.Lease, StepReport.Returned)).ToList(), CancellationToken.None);
    }

    /// <summary>For a claim that found nothing: steps of its queues that are held for other workers go back. False: there were none.</summary>
    public async Task<bool> MakeRoomAsync(ClaimCommand claim)
    {
        if (!eager.IsHolding) return false;
        var steps = eager.TakeBack(claim.Queues);
        await ReturnAsync(steps);
        return steps.Count > 0;
    }

    private Task ReturnOverdueAsync()
    {
        var (steps, next) = eager.TakeOverdue();
        if (next is { } left) WakeIn(left);
        return TryReturnAsync(steps);
    }

    // A step that cannot be returned is collected when its lease expires.
    private async Task TryReturnAsync(List<Assignment> steps)
    {
        try
        {
            await ReturnAsync(steps);
        }
        catch (Exception fault)
        {
            LogKept(log, fault, steps.Count);
        }
    }

    private void WakeIn(TimeSpan time) => timer.Change(time < TimeSpan.FromMilliseconds(1) ? TimeSpan.Zero : time, Timeout.InfiniteTimeSpan);

    /// <summary>While the batcher still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        await TryReturnAsync(eager.Close());
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} steps that no worker claimed in time could not be returned; their leases will expire")]
    private static partial void LogKept(ILogger logger, Exception fault, int count);
}
