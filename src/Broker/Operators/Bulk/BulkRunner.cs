using Broker.Auth;
using Broker.Background;
using Broker.Storage.Contracts;

namespace Broker.Operators.Bulk;

/// <summary>
/// Works on actions on many runs, under a lease of 15 s for each, for 5 s at a time and in turn. A broker that is killed leaves its lease to expire; another
/// one, or the same one after its start, goes on behind the last outcome that was written.
/// </summary>
internal sealed partial class BulkRunner(IBulkStore store, IRunSearch search, BulkWorker worker, IChangeHints hints, ApiKeyCache keys, TimeProvider clock, ILogger<BulkRunner> log)
    : PeriodicService(TimeSpan.FromSeconds(1), clock, log)
{
    /// <summary>Runs of one chunk: they are commands of one or two transactions.</summary>
    private const int Chunk = 250;

    // Runs that one page of the listing examines and adds.
    private const int Page = 5_000;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    private readonly TimeProvider clock = clock;
    private readonly ILogger<BulkRunner> log = log;
    private readonly string owner = Guid.NewGuid().ToString("N");

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var all = 0;
        while (await store.LeaseAsync(owner, Lease, ct) is { } bulk) all += await WorkAsync(bulk, ct);
        return all;
    }

    private async Task<int> WorkAsync(BulkRecord bulk, CancellationToken ct)
    {
        var isCounted = false;
        try
        {
            if (keys.CallerOf(bulk.KeyId) is not { } caller || !BulkOrder.May(caller, bulk.Action))
            {
                isCounted = await store.StopAsync(bulk.Id, "Its key was revoked or has other scopes.", ct);
                return 0;
            }

            // The engine asks for the caller. It flows with this method alone.
            Caller.Current = caller;
            var done = await SliceAsync(bulk, new BulkOrder(bulk), caller.Limit, ct);
            isCounted = true;
            return done;
        }
        finally
        {
            await store.ReleaseAsync(bulk.Id, owner, isCounted, CancellationToken.None);
        }
    }

    private async Task<int> SliceAsync(BulkRecord bulk, BulkOrder order, IReadOnlyList<string>? limit, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var (done, after) = (0, 0);
        var now = (BulkRecord?)bulk;
        while (now is { Phase: BulkPhase.Collecting or BulkPhase.Running } && clock.GetElapsedTime(began) < Slice)
        {
            if (now.Phase is BulkPhase.Collecting)
            {
                now = await CollectAsync(now, order, limit, ct);
                continue;
            }

            var chunk = clock.GetTimestamp();
            var items = await store.PendingAsync(now.Id, after, Math.Min(Chunk, now.Rate ?? Chunk), ct);
            var ends = items.Count == 0 ? [] : await worker.ActAsync(now, order, limit, items, ct);
            now = await store.RecordAsync(now, owner, Lease, ends, ct);
            hints.Note("bulk");
            if (items.Count == 0) break;
            (done, after) = (done + items.Count, items[^1].Seq);
            if (now?.Rate is { } rate) await PaceAsync(TimeSpan.FromSeconds((double)items.Count / rate) - clock.GetElapsedTime(chunk), ct);
        }

        if (now is { Phase: BulkPhase.Done }) LogDone(log, now.Id, now.Done, now.Skipped, now.Failed);
        return done;
    }

    private async Task<BulkRecord?> CollectAsync(BulkRecord bulk, BulkOrder order, IReadOnlyList<string>? limit, CancellationToken ct)
    {
        var found = await search.ChooseAsync(order.Filter(limit), bulk.Place, Page, ct);
        BulkItem[] items =
        [
            .. found.Rows.Where(run => !order.IsExcluded(run.Ref)).Select((run, i) => new BulkItem(bulk.Total + i + 1, run.Ref.Id, run.Ref.Workflow, run.Ref.InstanceId, run.Ref.Number)),
        ];
        return await store.CollectAsync(bulk, owner, Lease, items, found.Next, ct);
    }

    private Task PaceAsync(TimeSpan rest, CancellationToken ct) => rest > TimeSpan.Zero ? Task.Delay(rest, clock, ct) : Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Action {Id} on many runs has ended: {Done} done, {Skipped} skipped, {Failed} failed")]
    private static partial void LogDone(ILogger logger, long id, int done, int skipped, int failed);
}
