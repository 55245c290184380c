using System.Runtime.CompilerServices;
using Broker.Core.Runs;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    // New lines of a whole run have no signal of their own: a follower looks once a second, at one index range.
    private static readonly TimeSpan LogPause = TimeSpan.FromSeconds(1);

    public async Task<RunDetail> WaitForRunAsync(RunAddress run, TimeSpan wait, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        var pinned = run with { Run = view.Ref.Number };
        if (!view.IsTerminal && wait > TimeSpan.Zero) await engine.WaitForEndAsync(view.Ref, ct, wait);
        return await GetRunAsync(pinned, ct);
    }

    public async IAsyncEnumerable<RunEvent> FollowEventsAsync(RunAddress run, long? after, [EnumeratorCancellation] CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, engine.Stopping);
        var first = await FindAsync(run, ct);

        // Subscribed before the first look: a change in between is signalled.
        using var changed = engine.WatchRun(first.Ref.Id);
        while (true)
        {
            var isEnded = await HasEndedAsync(first.Ref, stop.Token);
            var (page, isMore) = await OutAsync(first, after, isBackward: false, stop.Token);
            foreach (var one in page)
            {
                after = one.Id;
                if (one.Internal is not true) yield return one;
            }

            if (isMore) continue;
            if (isEnded) yield break;
            await changed.WaitAsync(engine.Settings.StreamHeartbeat, stop.Token);
            if (!changed.IsCurrent) throw Restored();
        }
    }

    public async IAsyncEnumerable<RunLogLine> FollowLogsAsync(RunAddress run, LogQuery query, [EnumeratorCancellation] CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, engine.Stopping);
        var first = await FindAsync(run, ct);
        var pinned = run with { Run = first.Ref.Number };
        query = query with { Limit = Limits.LargestLogPage };
        using var changed = engine.WatchRun(first.Ref.Id);
        while (true)
        {
            var isEnded = await HasEndedAsync(first.Ref, stop.Token);
            var page = await ListLogsAsync(pinned, query, stop.Token);
            foreach (var line in page.Items) yield return line;
            if ((page.Next ?? (page.Items.Count > 0 ? page.Items[^1].Id : null)) is { } last) query = query with { After = last };
            if (page.Next is not null) continue;
            if (isEnded) yield break;
            await changed.WaitAsync(LogPause, stop.Token);
            if (!changed.IsCurrent) throw Restored();
        }
    }

    // A deleted run ends too. Another run may have its names by now.
    private async Task<bool> HasEndedAsync(RunRef run, CancellationToken ct) =>
        await engine.FindRunAsync(run.Workflow, run.InstanceId, ct, run.Number) is not { IsTerminal: false } view || view.Ref.Id != run.Id;

    // Ids and numbers may stand for something else: the client begins again.
    private static OperatorException Restored() => new(StatusCodes.Status503ServiceUnavailable, "restored", "The database was restored to another state: begin again.");
}
