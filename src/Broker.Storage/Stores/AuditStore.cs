using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Broker.Storage.Reads;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class AuditStore(IEngine engine, TimeProvider clock, IPageReads pages) : IAuditStore
{
    public async Task AddAsync(IReadOnlyList<AuditEntry> entries, CancellationToken ct)
    {
        if (entries.Count == 0) return;

        // Timed by this broker's clock and stored by the store's: how long ago is the same on both.
        var (now, here) = (await engine.NowAsync(ct), clock.GetUtcNow());
        using var turn = await engine.WriteTurnAsync(ct);
        await using var db = engine.CreateContext();
        var rows = entries.Select(entry => new AuditRow
        {
            At = (entry.At < here ? now - (here - entry.At) : now).ToMicros(),
            KeyId = entry.Key,
            Action = entry.Action,
            Workflow = Fitting(entry.Workflow),
            InstanceId = Fitting(entry.InstanceId),
            Detail = Fitting(entry.Detail),
        });
        await db.AddAuditAsync([.. rows], ct);
    }

    public async Task<Page<AuditEntry>> ReadAsync(AuditFilter filter, int limit, CancellationToken ct)
    {
        if (!Fits(filter.Action) || !Fits(filter.Workflow) || !Fits(filter.Key)) return new([], false);
        var rows = await pages.RunAsync(db => Of(db, filter).Take(limit + 1).ToListAsync(ct), ct);
        return new([.. rows.Take(limit).Select(EntryOf)], rows.Count > limit);
    }

    // Newest first.
    private static IQueryable<AuditRow> Of(BrokerDb db, AuditFilter filter)
    {
        var entries = db.Audit.AsNoTracking();
        if (filter.BeforeId is { } before) entries = entries.Where(a => a.Id < before);
        if (filter.Since is { } since)
        {
            var from = since.ToMicros();
            entries = entries.Where(a => a.At >= from);
        }

        if (filter.Workflow is { } workflow) entries = entries.Where(a => a.Workflow == workflow);
        if (filter.Action is { } action) entries = entries.Where(a => a.Action == action);
        if (filter.Key is { } key) entries = entries.Where(a => a.KeyId == key);
        return entries.OrderByDescending(a => a.Id);
    }

    public async Task<int> PruneAsync(DateTimeOffset before, int batch, CancellationToken ct)
    {
        var limit = before.ToMicros();
        using var turn = await engine.WriteTurnAsync(ct);
        await using var db = engine.CreateContext();
        return await db.Audit.Where(a => a.At < limit).OrderBy(a => a.At).Take(batch).ExecuteDeleteAsync(ct);
    }

    private static AuditEntry EntryOf(AuditRow row) =>
        new(Instants.FromMicros(row.At), row.KeyId, row.Action, row.Workflow, row.InstanceId, row.Detail) { Id = row.Id };

    private static bool Fits(string? text) => text is null || StoredText.Fits(text);

    private static string? Fitting(string? text) => text is null ? null : StoredText.Fitting(text);
}
