using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class AuditStore(IDatabaseEngine engine, TimeProvider clock, IPageReads pages) : IAuditStore
{
    public async Task AddAsync(AuditBatch batch, CancellationToken ct)
    {
        if (batch.Entries.Count == 0) return;
        var rows = batch.Rows ??= await RowsOfAsync(batch.Entries, ct);
        using var turn = await engine.WriteTurnAsync(ct);
        await using var db = engine.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);

        // Before the rows are looked for: a transaction that waits for its standby has them and does not show them yet.
        var isShared = db.Database.IsNpgsql();
        if (isShared) await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({batch.Lock})", ct);
        if (batch.MayBeStored) rows = await MissingAsync(db, rows, ct);
        batch.MayBeStored = true;
        if (rows.Count > 0) await db.AddAuditAsync(rows, ct);

        // The commit of a transaction that writes nothing waits for no standby, and so does not tell whether the rows are on one.
        else if (isShared) await db.Database.ExecuteSqlAsync($"SELECT FROM pg_logical_emit_message(true, 'broker', 'audit')", ct);
        await transaction.CommitAsync(ct);
    }

    private async Task<IReadOnlyList<AuditRow>> RowsOfAsync(IReadOnlyList<AuditEntry> entries, CancellationToken ct)
    {
        // Timed by this broker's clock and stored by the store's: how long ago is the same on both.
        var (now, here) = (await engine.NowAsync(ct), clock.GetUtcNow());
        return
        [
            .. entries.Select(entry => new AuditRow
            {
                At = (entry.At < here ? now - (here - entry.At) : now).ToMicros(),
                KeyId = entry.Key,
                Action = entry.Action,
                Workflow = Fitting(entry.Workflow),
                InstanceId = Fitting(entry.InstanceId),
                Detail = Fitting(entry.Detail),
            }),
        ];
    }

    // Equal rows are counted: one caller may do the same twice in one microsecond.
    private static async Task<IReadOnlyList<AuditRow>> MissingAsync(BrokerDb db, IReadOnlyList<AuditRow> rows, CancellationToken ct)
    {
        var (first, last) = (rows.Min(r => r.At), rows.Max(r => r.At));
        var missing = rows.GroupBy(ContentOf).ToDictionary(same => same.Key, same => new Queue<AuditRow>(same));
        await foreach (var row in db.Audit.AsNoTracking().Where(a => a.At >= first && a.At <= last).AsAsyncEnumerable().WithCancellation(ct))
        {
            if (missing.TryGetValue(ContentOf(row), out var same)) same.TryDequeue(out _);
        }

        return [.. missing.Values.SelectMany(same => same)];
    }

    private static (long, string, string, string?, string?, string?) ContentOf(AuditRow row) =>
        (row.At, row.KeyId, row.Action, row.Workflow, row.InstanceId, row.Detail);

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

    private static bool Fits(string? text) => text is null || StorableText.Fits(text);

    private static string? Fitting(string? text) => text is null ? null : StorableText.Fitting(text);
}
