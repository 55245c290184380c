using Broker.Core.Runs;
using Broker.Engine;
using Broker.Storage.Contracts;

namespace Broker.Api.HandlersDialect;

/// <summary>Outcome of a request to empty a run's queue.</summary>
internal enum QueueVerdict
{
    Streamed,

    /// <summary>Nothing is queued and nothing will be.</summary>
    Drained,

    /// <summary>Another reader holds the queue.</summary>
    Locked,
}

/// <summary>Emptying a run's queue: one reader at a time, what is delivered is gone (handlers contract 6.1).</summary>
internal static class QueueStream
{
    /// <summary>Time that the lock of a stopped broker keeps other readers out. The server's rate limit ends a blocked flush sooner.</summary>
    private static readonly TimeSpan LockTime = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Renewal = LockTime / 3;

    /// <summary>Between two tries where the end of the other reader was not signalled: its broker died.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest wait for the lock that is granted, so that any number of seconds can be asked for.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    public static async Task<QueueVerdict> SendAsync(HttpContext http, BrokerEngine engine, RunView run, EventStreamRequest request, CancellationToken ct)
    {
        var (runId, events) = (run.Ref.Id, engine.Events);
        if (run.IsTerminal && await IsEmptyAsync(events, runId, ct)) return QueueVerdict.Drained;

        using var changed = engine.WatchRun(runId);
        var reader = Guid.NewGuid().ToString("N");
        if (await AcquireAsync(engine, changed, runId, reader, request.AcquireTimeout, ct) is not { } position) return QueueVerdict.Locked;
        try
        {
            var sink = new EventSink(http, engine, run, changed, request);

            // Once more: the reader before may have left nothing.
            if (await sink.FindRunAsync(ct) is not { IsTerminal: false } && await IsEmptyAsync(events, runId, ct)) return QueueVerdict.Drained;
            await sink.OpenAsync(ct);
            await CopyAsync(engine, sink, changed, runId, reader, position, ct);
            return QueueVerdict.Streamed;
        }
        finally
        {
            // The store signals the next reader.
            await events.UnlockQueueAsync(runId, reader, CancellationToken.None);
        }
    }

    private static async Task CopyAsync(
        BrokerEngine engine, EventSink sink, IChangeSubscription changed, long runId, string reader, long position, CancellationToken ct)
    {
        while (true)
        {
            var (rows, ended) = await sink.NextAsync(position, ct);
            if (ended) return;
            var kept = rows.Count > 0
                ? await DeliverAsync(engine, sink, runId, reader, rows, ct)
                : await engine.Events.TryLockQueueAsync(runId, reader, LockTime, ct) is not null;
            if (rows.Count > 0 && rows[^1].IsTerminal) return;

            // With a deleted run its lock is gone too: the next look finds the end.
            if (!kept && await sink.FindRunAsync(ct) is not null) throw new OperationCanceledException("another reader has taken the queue over");
            if (rows.Count > 0) position = rows[^1].Sequence;
            else if (kept) await changed.WaitAsync(Renewal, ct);
        }
    }

    // Only what was flushed counts as delivered, also when the client goes away in the middle. False: the lock was lost.
    private static async Task<bool> DeliverAsync(
        BrokerEngine engine, EventSink sink, long runId, string reader, IReadOnlyList<StreamEvent> rows, CancellationToken ct)
    {
        long? delivered = null;
        var kept = true;
        try
        {
            foreach (var row in rows)
            {
                await sink.WriteAsync(row, ct);
                delivered = row.Sequence;
            }
        }
        finally
        {
            if (delivered is { } to) kept = await engine.Events.AdvanceQueueAsync(runId, reader, to, LockTime, CancellationToken.None);
        }

        return kept;
    }

    private static async Task<long?> AcquireAsync(
        BrokerEngine engine, IChangeSubscription changed, long runId, string reader, double seconds, CancellationToken ct)
    {
        var wait = seconds >= LongestWait.TotalSeconds ? LongestWait : TimeSpan.FromSeconds(Math.Max(seconds, 0));
        var since = engine.Now;
        while (true)
        {
            if (await engine.Events.TryLockQueueAsync(runId, reader, LockTime, ct) is { } position) return position;
            var left = wait - (engine.Now - since);
            if (left <= TimeSpan.Zero) return null;
            await changed.WaitAsync(left < Retry ? left : Retry, ct);
        }
    }

    private static async Task<bool> IsEmptyAsync(IEventStore events, long runId, CancellationToken ct) =>
        (await events.ReadAsync(runId, await events.QueuePositionAsync(runId, ct), 1, ct)).Count == 0;
}
