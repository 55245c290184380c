using System.Text.Json;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>Reads the lines of a run along its index, in windows.</summary>
internal sealed class LogSearch(IPageReads pages) : ILogSearch
{
    private const int Window = 2000;

    public async Task<LogPage> LinesAsync(LogFilter filter, long? from, bool backward, int limit, CancellationToken ct)
    {
        var (rows, next, isCut) = await ReadAsync(filter, from, backward, limit, _ => true, ct);
        if (backward) rows.Reverse();
        return new(rows, next, isCut);
    }

    public async Task<LogPage> FindAsync(LogFilter filter, Func<string, bool> fits, long? after, int limit, CancellationToken ct)
    {
        var (rows, next, isCut) = await ReadAsync(filter, after, backward: false, limit, row => fits(JsonText.StringOf(JsonElement.Parse(row.MessageJson))), ct);
        return new(rows, next, isCut);
    }

    private async Task<(List<LogRow> Rows, long? Next, bool IsCut)> ReadAsync(LogFilter filter, long? from, bool backward, int limit, Func<LogRow, bool> fits, CancellationToken ct)
    {
        var found = new List<LogRow>();
        if (!Fits(filter)) return (found, null, false);
        for (var examined = 0; examined < ILogSearch.Examined; examined += Window)
        {
            var (at, most) = (from, limit - found.Count + 1);
            var (rows, last) = await pages.RunAsync(
                async db =>
                {
                    var window = WindowOf(db, filter.RunId, at, backward);
                    var some = await Chosen(window, filter).Take(most).AsNoTracking().ToListAsync(ct);

                    // A full page needs no end of the window.
                    return (some, some.Count == most ? null : await window.Skip(Window - 1).Select(l => (long?)l.Id).FirstOrDefaultAsync(ct));
                },
                ct);
            foreach (var row in rows.Select(LogStore.RowOf).Where(fits))
            {
                if (found.Count == limit) return (found, found[^1].Id, false);
                found.Add(row);
            }

            if (rows.Count == most) last = rows[^1].Id;
            if (last is null) return (found, null, false);
            from = last;
        }

        return (found, from, true);
    }

    private static IQueryable<LogLineRow> WindowOf(BrokerDb db, long runId, long? from, bool backward)
    {
        var lines = db.Logs.Where(l => l.RunId == runId);
        if (from is { } id) lines = backward ? lines.Where(l => l.Id < id) : lines.Where(l => l.Id > id);
        return (backward ? lines.OrderByDescending(l => l.Id) : lines.OrderBy(l => l.Id)).Take(Window);
    }

    private static IQueryable<LogLineRow> Chosen(IQueryable<LogLineRow> lines, LogFilter filter)
    {
        if (filter.Step is { } step) lines = lines.Where(l => l.Step == step);
        if (filter.Attempt is { } attempt) lines = lines.Where(l => l.Attempt == attempt);
        if (filter.Stream is { } stream) lines = lines.Where(l => l.Stream == stream);
        if (filter.Level is { } level) lines = lines.Where(l => l.Level == level);
        return lines;
    }

    private static bool Fits(LogFilter filter) => new[] { filter.Step, filter.Stream, filter.Level }.All(text => text is null || StorableText.Fits(text));
}
