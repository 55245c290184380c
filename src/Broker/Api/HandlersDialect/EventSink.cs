using System.Text.Json;
using Broker.Core.Runs;
using Broker.Engine;
using Broker.Http;
using Broker.Storage.Contracts;

namespace Broker.Api.HandlersDialect;

/// <summary>The open answer of one stream: renders rows and writes them, one flush each.</summary>
/// <param name="http">Request of the answer.</param>
/// <param name="engine">The engine.</param>
/// <param name="run">The run, as it was when the stream was asked for.</param>
/// <param name="changed">The stream's subscription, older than its first look.</param>
/// <param name="request">Which rows, in which form.</param>
internal sealed class EventSink(HttpContext http, BrokerEngine engine, RunView run, IChangeSubscription changed, EventStreamRequest request)
{
    // Events that a slow client has not taken stay in the database.
    private readonly PageWeight weight = new();

    public DateTimeOffset WrittenAt { get; private set; } = engine.Now;

    /// <summary>The run as it is now; null when it has been deleted, also if another one has its name by now.</summary>
    public async Task<RunView?> FindRunAsync(CancellationToken ct) =>
        await engine.FindRunAsync(run.Ref.Workflow, run.Ref.InstanceId, ct, run.Ref.Number) is { } current && current.Ref.Id == run.Ref.Id ? current : null;

    /// <summary>The next rows. None: there are none now, or (when ended) ever.</summary>
    public async Task<(IReadOnlyList<StreamEvent> Rows, bool Ended)> NextAsync(long after, CancellationToken ct)
    {
        var rows = await ReadAsync(after, ct);
        if (rows.Count > 0) return (rows, false);
        var current = await FindRunAsync(ct);
        if (current is { IsTerminal: false }) return (rows, false);

        // Look again: a run that has ended has written its last row. A deleted run has no row for its end.
        rows = await ReadAsync(after, ct);
        if (rows.Count > 0) return (rows, false);
        if (current is null) await WriteAsync(new StreamEvent(after + 1, null, "{}", Internal: false, engine.Now), ct);
        return (rows, true);
    }

    /// <summary>The next rows, as many as make a page.</summary>
    public async Task<IReadOnlyList<StreamEvent>> ReadAsync(long after, CancellationToken ct)
    {
        var rows = await engine.Events.ReadAsync(run.Ref.Id, after, weight.Rows, ct);

        // The id may be another run's by now. Cut off, the client asks again by name.
        if (!changed.IsCurrent) throw new StaleEpochException();
        weight.Saw(rows.Count, rows.Sum(row => (long)row.ValueJson.Length));
        return rows;
    }

    public Task OpenAsync(CancellationToken ct) =>
        SseWriter.StartAsync(http.Response, request.Sse ? EventFraming.SseType : EventFraming.LinesType, ct);

    /// <summary>Writes a row unless this reader does not see it. Returns after the flush; throws when the client has gone.</summary>
    public async Task WriteAsync(StreamEvent row, CancellationToken ct)
    {
        if (row.Internal && !request.IncludeInternal) return;
        var current = row.IsTerminal ? await FindRunAsync(ct) : run;
        if (StreamEnvelope.Of(row, current, run.Definition, request.Mode) is not { } envelope) return;

        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer, JsonAnswer.Options)) envelope.Write(json, request.IncludeQualifiedName);
        var output = http.Response.BodyWriter;
        if (!request.Sse) EventFraming.WriteLine(output, buffer.Written.Span);
        else EventFraming.WriteSse(output, request.Mode is StreamMode.Cursor ? row.Sequence : null, buffer.Written.Span);
        await FlushAsync(ct);
    }

    /// <summary>A comment, in the one form of stream whose readers know comments, when nothing was written for a while.</summary>
    public async Task KeepAliveAsync(CancellationToken ct)
    {
        if (!request.Sse || request.Mode is StreamMode.Queue || engine.Now - WrittenAt < engine.Settings.StreamHeartbeat) return;
        EventFraming.WriteHeartbeat(http.Response.BodyWriter);
        await FlushAsync(ct);
    }

    private async Task FlushAsync(CancellationToken ct)
    {
        var flushed = await http.Response.BodyWriter.FlushAsync(ct);

        // Writing to a connection that the client has closed succeeds without effect.
        if (flushed.IsCompleted) throw new OperationCanceledException("the client has gone");
        ct.ThrowIfCancellationRequested();
        WrittenAt = engine.Now;
    }
}
