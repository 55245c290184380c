using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;
using Broker.Http;
using Broker.Operations.Metrics;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>Log chunks: kept as sent, in order of arrival, whatever became of the lease (jobs contract 5).</summary>
internal static class LogRoutes
{
    private static readonly string[] Streams = ["stdout", "stderr"];

    public static async Task PushAsync(HttpContext http, BrokerEngine engine, string lease, CancellationToken ct)
    {
        if (await JobsRequests.ReadAsync(http, engine.Settings, ReadChunks, ct) is not (true, var chunks)) return;
        if (chunks.Count > 0) await engine.PushLogsAsync(LeaseId.TryParse(lease, out var id) ? id : null, chunks, ct);
        await JobsErrors.EmptyAsync(http.Response, StatusCodes.Status200OK);
    }

    private static List<LogChunk> ReadChunks(JsonElement body, JobsReader reader)
    {
        var chunks = new List<LogChunk>();
        if (!reader.IsObject(body, "")) return chunks;
        var list = reader.Value(body, "chunks", "", JsonValueKind.Array, required: true);
        if (list.ValueKind is not JsonValueKind.Array) return chunks;

        foreach (var chunk in list.EnumerateArray())
        {
            var path = $"chunks[{chunks.Count}]";
            if (!reader.IsObject(chunk, path)) return chunks;
            var data = reader.Value(chunk, "data", path, JsonValueKind.String, required: true);
            var stream = reader.Text(chunk, "stream", path);
            if (!Streams.Contains(stream)) reader.Add($"{path}.stream", "expected stdout or stderr");
            var workflow = reader.Text(chunk, "workflow_id", path);
            if (!JobIds.MayExist(workflow) || !PathNames.Fits(workflow)) reader.Add($"{path}.workflow_id", "names no workflow");
            chunks.Add(new(
                workflow,
                reader.Id(chunk, "job_id", path),
                reader.Integer(chunk, "sequence", path, 0, long.MaxValue),
                data.ValueKind is JsonValueKind.String ? data.GetRawText() : "\"\"",
                reader.Integer(chunk, "timestamp_ms", path, 0, long.MaxValue),
                stream));
        }

        return chunks;
    }

    /// <summary>All chunks of a job, or those of one run, sent page by page.</summary>
    public static async Task ListAsync(HttpContext http, BrokerEngine engine, string workflow, string job, CancellationToken ct)
    {
        if (await FindAsync(http, engine, workflow, job, ct) is not (true, var log)) return;
        var pages = log is null ? null : new LogPages(engine, log, after: 0);

        http.Response.ContentType = JsonAnswer.ContentType;
        using var json = new Utf8JsonWriter(http.Response.BodyWriter, JsonAnswer.Options);
        json.WriteStartArray();
        while (pages is { AtEnd: false })
        {
            foreach (var row in await pages.NextAsync(ct)) Write(json, row, log!.Run);
            json.Flush();
            await http.Response.BodyWriter.FlushAsync(ct);
        }

        json.WriteEndArray();
        json.Flush();
        await http.Response.BodyWriter.FlushAsync(ct);
    }

    // No log: nothing can be filed under these names. False after an error answer.
    private static async Task<(bool IsFound, LogName? Log)> FindAsync(HttpContext http, BrokerEngine engine, string workflow, string job, CancellationToken ct)
    {
        if (await RunRequests.RunOfAsync(http) is not (true, var number)) return (false, null);
        RunRef? run = null;
        if (number is not null)
        {
            run = (await WorkflowLookup.FindRunAsync(engine, workflow, number, ct))?.Ref;
            if (run is null)
            {
                await JobsErrors.UnknownRunAsync(http.Response, workflow, number);
                return (false, null);
            }
        }

        if (!JobIds.MayExist(workflow) || !JobIds.MayExist(job)) return (true, null);
        return (true, new(run is null ? await WorkflowLookup.LogNameAsync(engine, workflow, ct) : WorkflowLookup.WorkerName(run), job, run));
    }

    /// <summary>Stored lines, then those that come in, until the client leaves or the host stops.</summary>
    public static async Task StreamAsync(HttpContext http, BrokerEngine engine, string workflow, string job, CancellationToken ct)
    {
        if (await FindAsync(http, engine, workflow, job, ct) is not (true, var log)) return;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, engine.Stopping);
        var seen = long.TryParse(http.Request.Headers["Last-Event-ID"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last : 0;
        var pages = log is null ? null : new LogPages(engine, log, seen);

        // Subscribed before the first look: what comes in meanwhile is either seen by it or signalled.
        using var changed = engine.WatchLog(log?.Workflow ?? "", job);
        try
        {
            using var seat = HostMetrics.Stream(HostMetrics.LogStreams);
            var events = await SseWriter.OpenAsync(http.Response, stop.Token);
            var written = engine.Now;
            while (true)
            {
                var page = pages is null ? [] : await pages.NextAsync(stop.Token);

                // Another history has other lines under these ids: the client opens the stream again.
                if (!changed.IsCurrent) return;
                if (page.Count > 0)
                {
                    if (!await WriteEventsAsync(events, page, log!.Run, stop.Token)) return;
                    written = engine.Now;
                    if (!pages!.AtEnd) continue;
                }

                while (!await changed.WaitAsync(Left(written, engine.Settings.StreamHeartbeat, engine.Now), stop.Token))
                {
                    events.Comment("ping");
                    written = engine.Now;
                    if (!await events.FlushAsync(stop.Token)) return;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The client has left or the host stops: the stream's ordinary end.
        }
    }

    private static TimeSpan Left(DateTimeOffset written, TimeSpan heartbeat, DateTimeOffset now) =>
        written + heartbeat - now is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    // False when the client has gone. Long chunks are flushed one by one, so that a slow client holds little more than one.
    private static async Task<bool> WriteEventsAsync(SseWriter events, IReadOnlyList<LogRow> page, RunRef? run, CancellationToken ct)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        await using var json = new Utf8JsonWriter(buffer, JsonAnswer.Options);
        var unflushed = 0;
        foreach (var row in page)
        {
            Write(json, row, run);
            json.Flush();
            events.Event("log", row.Id.ToString(CultureInfo.InvariantCulture), buffer.WrittenSpan);
            unflushed += buffer.WrittenCount;
            buffer.ResetWrittenCount();
            json.Reset();
            if (unflushed < PageWeight.Characters) continue;
            if (!await events.FlushAsync(ct)) return false;
            unflushed = 0;
        }

        return await events.FlushAsync(ct);
    }

    private static void Write(Utf8JsonWriter json, LogRow row, RunRef? run)
    {
        json.WriteStartObject();
        json.WriteString("workflow_id", row.Workflow);
        json.WriteString("job_id", row.Step);
        json.WriteNumber("sequence", row.Sequence);
        json.WritePropertyName("data");
        json.WriteRaw(row.MessageJson);
        json.WriteNumber("timestamp_ms", row.TimestampMs);
        json.WriteString("stream", row.Stream.Length == 0 ? Streams[0] : row.Stream);
        if (run is not null)
        {
            json.WriteNumber("run", run.Number);
            if (row.Attempt is { } attempt) json.WriteNumber("attempt", attempt);
            else json.WriteNull("attempt");
        }

        json.WriteEndObject();
    }
}
