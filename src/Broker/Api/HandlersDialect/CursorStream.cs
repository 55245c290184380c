using Broker.Core.Runs;
using Broker.Engine;

namespace Broker.Api.HandlersDialect;

/// <summary>Reading by number: any number of readers, nothing is removed (handlers contract 6.2).</summary>
internal static class CursorStream
{
    /// <summary>Streams until the run has ended. False when there is nothing to stream and nothing to come; nothing was written then.</summary>
    public static async Task<bool> SendAsync(HttpContext http, BrokerEngine engine, RunView run, EventStreamRequest request, CancellationToken ct)
    {
        var (runId, events) = (run.Ref.Id, engine.Events);
        using var changed = engine.WatchRun(runId);
        var after = request.Cursor!.Value.After ?? await events.LastSequenceAsync(runId, ct);
        var sink = new EventSink(http, engine, run, changed, request);
        var rows = await sink.ReadAsync(after, ct);
        if (run.IsTerminal && rows.Count == 0) return false;

        await sink.OpenAsync(ct);
        while (true)
        {
            foreach (var row in rows)
            {
                await sink.WriteAsync(row, ct);
                if (row.IsTerminal) return true;
                after = row.Sequence;
            }

            (rows, var ended) = await sink.NextAsync(after, ct);
            if (ended) return true;
            if (rows.Count > 0) continue;

            // Only a signal is worth a look: 500 idle streams cost the database nothing.
            do await sink.KeepAliveAsync(ct);
            while (!await changed.WaitAsync(engine.Settings.StreamHeartbeat, ct));
        }
    }
}
