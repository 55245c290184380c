using Broker.Core.Runs;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Lanes;

/// <summary>Hands steps back that nobody came for: they are ready again at their old place, charged nothing.</summary>
internal sealed partial class StepReturns : IAsyncDisposable
{
    private readonly Prefetch prefetch;
    private readonly LaneSet lanes;
    private readonly ILogger log;
    private readonly ITimer timer;

    public StepReturns(Prefetch prefetch, LaneSet lanes, TimeProvider clock, ILogger<StepReturns> log)
    {
        (this.prefetch, this.lanes, this.log) = (prefetch, lanes, log);
        timer = clock.CreateTimer(static returns => _ = ((StepReturns)returns!).ReturnOverdueAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        prefetch.Wake = WakeIn;
    }

    public async Task ReturnAsync(IReadOnlyList<Assignment> steps)
    {
        if (steps.Count > 0) await lanes.RunAsync(steps.Select(step => new ReportWork(step.Lease, StepReport.Returned)).ToList(), CancellationToken.None);
    }

    /// <summary>For a claim that has found nothing: what is held of its queues for others goes back. False: nothing was.</summary>
    public async Task<bool> MakeRoomAsync(ClaimWork claim)
    {
        if (!prefetch.IsHolding) return false;
        var steps = prefetch.TakeBack(claim.Queues);
        await ReturnAsync(steps);
        return steps.Count > 0;
    }

    private Task ReturnOverdueAsync()
    {
        var (steps, next) = prefetch.TakeOverdue();
        if (next is { } left) WakeIn(left);
        return TryReturnAsync(steps);
    }

    // What cannot be handed back is collected when its lease ends.
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

    /// <summary>While the lanes still work.</summary>
    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        await TryReturnAsync(prefetch.Close());
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} steps that nobody came for could not be handed back; their leases will run out")]
    private static partial void LogKept(ILogger logger, Exception fault, int count);
}
