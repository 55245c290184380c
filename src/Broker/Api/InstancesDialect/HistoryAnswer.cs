using System.Text.Json;
using Broker.Core.Runs;
using Broker.Engine;
using Broker.Http;
using Broker.Storage.Contracts;

namespace Broker.Api.InstancesDialect;

/// <summary>
/// One page of each of the three lists of a run, each at its own place. Rows are read and written in parts of about the same weight: the
/// results and payloads of one page may be any number of megabytes.
/// </summary>
internal sealed class HistoryAnswer
{
    private readonly IHistory history;
    private readonly HistoryQuery query;
    private readonly RunView? run;

    private HistoryAnswer(IHistory history, HistoryQuery query, RunView? run)
    {
        this.history = history;
        this.query = query;
        this.run = run;
    }

    /// <summary>Null when there is no such instance. A run that it never had is empty.</summary>
    public static async Task<HistoryAnswer?> FindAsync(BrokerEngine engine, string workflow, string instanceId, HistoryQuery query, CancellationToken ct)
    {
        var run = query.RunNumber is > int.MaxValue ? null : await engine.FindRunAsync(workflow, instanceId, ct, (int?)query.RunNumber);
        if (run is null && (query.RunNumber is null || await engine.FindRunAsync(workflow, instanceId, ct) is null)) return null;
        return new HistoryAnswer(engine.History, query, run);
    }

    public async Task SendAsync(HttpResponse response, CancellationToken ct)
    {
        await using var answer = new JsonStream(response);
        var json = answer.Json;
        json.WriteStartObject();
        json.WriteNumber("runNumber", run?.Ref.Number ?? query.RunNumber ?? 0);
        var steps = await WriteAsync(
            answer, "steps", query.Steps, (at, rows) => history.StepsAsync(run!.Ref.Id, PlaceOf(at), at.Descending, rows, ct),
            step => InstancesAnswers.WriteStep(json, run!.Ref, run.Definition, step), step => step.Result?.Length ?? 0,
            (at, step) => at with { Ticks = (step.BegunAt ?? DateTimeOffset.MaxValue).UtcTicks, Row = step.Index }, ct);
        var events = await WriteAsync(
            answer, "events", query.Events, (at, rows) => history.InboundAsync(run!.Ref.Id, After(at), at.Descending, rows, ct),
            row => InstancesAnswers.WriteEvent(json, run!.Ref, run.Definition, row), row => row.PayloadJson?.Length ?? 0,
            (at, row) => at with { Ticks = 0, Row = row.Id }, ct);
        json.WriteStartArray("emissions");
        json.WriteEndArray();
        PageCursor? logs = null;
        if (query.IncludeLogs)
        {
            logs = await WriteAsync(
                answer, "logs", query.Logs,
                (at, rows) => history.LogsAsync(run!.Ref.Id, query.LogLevel, query.LogCategory, After(at), at.Descending, rows, ct),
                row => InstancesAnswers.WriteLog(json, run!.Ref, row), row => row.MessageJson.Length + (row.DataJson?.Length ?? 0),
                (at, row) => at with { Ticks = 0, Row = row.Id }, ct);
        }

        WriteNext(json, "steps", steps);
        WriteNext(json, "events", events);
        if (query.IncludeLogs) WriteNext(json, "logs", logs);
        json.WriteEndObject();
        await answer.EndAsync(ct);
    }

    // Returns where the next page begins; null when this is the last one.
    private async Task<PageCursor?> WriteAsync<T>(
        JsonStream answer, string name, PageCursor from, Func<PageCursor, int, Task<Page<T>>> read, Action<T> write, Func<T, int> weigh,
        Func<PageCursor, T, PageCursor> after, CancellationToken ct)
    {
        var weight = new PageWeight();
        var (left, more) = (from.PageSize, run is not null);
        answer.Json.WriteStartArray(name);
        while (more && left > 0)
        {
            var rows = Math.Min(left, weight.Rows);
            var page = await read(from, rows);
            foreach (var row in page.Rows)
            {
                write(row);
                await answer.RowAsync(ct);
                from = after(from, row);
            }

            (left, more) = (left - page.Rows.Count, page.HasMore);
            weight.Saw(rows, page.Rows.Sum(row => (long)weigh(row)));
        }

        answer.Json.WriteEndArray();
        return more ? from : null;
    }

    private static void WriteNext(Utf8JsonWriter json, string name, PageCursor? next)
    {
        if (next is { } cursor) json.WriteString($"{name}Cursor", cursor.Encode());
        json.WriteBoolean($"{name}HasNextPage", next is not null);
    }

    private static (DateTimeOffset, int)? PlaceOf(PageCursor cursor) =>
        cursor.Ticks < 0 ? null : (cursor.At, (int)Math.Min(cursor.Row, int.MaxValue));

    private static long? After(PageCursor cursor) => cursor.Row < 0 ? null : cursor.Row;
}
