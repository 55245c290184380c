using Broker.Core.Runs;
using Broker.Storage.Contracts;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    public async Task<Listing<RunEvent>> ListEventsAsync(RunAddress run, EventQuery query, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        var list = ListPage.Read(query.Cursor, $"events {view.Ref.Id} {query.Direction} {query.Type} {query.WithInternal}", 1);
        var behind = list.Place?.Numbers[0];
        static ListPlace PlaceOf(RunEvent one) => new(one.Id);
        var found = new List<RunEvent>();
        var isOut = query.Direction == "out";
        for (var examined = 0; examined < Limits.ExaminedRows;)
        {
            var (page, isMore) = isOut ? await OutAsync(view, behind, list.IsBackward, ct) : await InAsync(view, behind, list.IsBackward, ct);
            foreach (var one in page)
            {
                if ((query.Type is { } type && one.Type != type) || (one.Internal is true && !query.WithInternal)) continue;
                if (found.Count == query.Limit) return list.Of(found, PlaceOf, one => one, hasMore: true, engine.Now);
                found.Add(one);
            }

            if (!isMore) return list.Of(found, PlaceOf, one => one, hasMore: false, engine.Now);
            examined += page.Count;
            behind = page[^1].Id;
        }

        return list.Of(found, PlaceOf, one => one, new ListPlace(behind!.Value), engine.Now, isComplete: false);
    }

    private async Task<(IReadOnlyList<RunEvent> Page, bool IsMore)> OutAsync(RunView run, long? behind, bool isBackward, CancellationToken ct)
    {
        // The terminal event is rendered by the dialects; here the run itself has its end.
        var page = isBackward
            ? await engine.Events.ReadBackAsync(run.Ref.Id, behind ?? long.MaxValue, Limits.LargestPage, ct)
            : await engine.Events.ReadAsync(run.Ref.Id, behind ?? -1, Limits.LargestPage, ct);
        return ([.. page.Where(e => !e.IsTerminal).Select(e => new RunEvent(e.Sequence, "out", e.Type!, new(e.ValueJson), e.CreatedAt, Internal: e.Internal))], page.Count == Limits.LargestPage && !page[^1].IsTerminal);
    }

    private async Task<(IReadOnlyList<RunEvent> Page, bool IsMore)> InAsync(RunView run, long? behind, bool isBackward, CancellationToken ct)
    {
        var page = await engine.History.InboundAsync(run.Ref.Id, behind, isBackward, Limits.LargestPage, ct);
        return ([.. page.Rows.Select(e => new RunEvent(
            e.Id, "in", e.Type, new(e.PayloadJson ?? "null"), e.CreatedAt, NameOf(run, e.TargetStep), NameOf(run, e.ConsumedBy), e.DeliveredAt))], page.HasMore);
    }

    private static string? NameOf(RunView run, int? step) => step is { } index ? run.Definition.NameOf(index) : null;

    public async Task<LogListing> ListLogsAsync(RunAddress run, LogQuery query, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        var isBackward = query.FromEnd || query.Before is not null;
        return ListingOf(await logs.LinesAsync(FilterOf(view, query), isBackward ? query.Before : query.After, isBackward, query.Limit, ct));
    }

    public async Task<LogListing> FindInLogsAsync(RunAddress run, LogQuery query, string text, bool matchCase, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        var comparison = matchCase ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        return ListingOf(await logs.FindAsync(FilterOf(view, query), line => line.Contains(text, comparison), query.After, query.Limit, ct));
    }

    private static LogFilter FilterOf(RunView run, LogQuery query)
    {
        if (query.Step is { } step) StepOf(run, step);
        return new(run.Ref.Id, query.Step, query.Attempt, query.Stream, query.Level);
    }

    private static LogListing ListingOf(LogPage page) => new(
        [
            .. page.Rows.Select(row => new RunLogLine(
                row.Id, row.Step, row.Attempt, row.Stream, row.Level, DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(row.TimestampMs, 0, 253_402_300_799_999)),
                new(row.MessageJson), row.DataJson is { } data ? new(data) : null)),
        ],
        page.Next, !page.IsCut);
}
