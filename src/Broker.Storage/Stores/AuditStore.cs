using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class AuditStore(IDatabase database, TimeProvider clock, IPageReads pages) : IAuditStore
{
    public async Task AddAsync(AuditBatch batch, CancellationToken ct)
    {
        if (batch.Entries.Count == 0) return;
        var entries = batch.Stored ??= await StoredAsync(batch.Entries, ct);
        IReadOnlyList<AuditRow> rows = [.. entries.Select(RowOf)];
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);

        // Before the rows are looked for: a transaction that waits for its standby has them and does not show them yet.
        await database.LockAsync(db, [batch.Key], ct);
        if (batch.MayBeStored) rows = await MissingAsync(db, rows, ct);
        batch.MayBeStored = true;
        if (rows.Count > 0) await db.AddAuditAsync(rows, ct);

        // The commit of a transaction that writes nothing waits for no standby, and so does not show whether the rows are on one.
        else await database.ConfirmAsync(db, ct);
        await transaction.CommitAsync(ct);
    }

    // Timed by this broker's clock and stored by the database's: the age of an entry is the same on both.
    private async Task<IReadOnlyList<AuditEntry>> StoredAsync(IReadOnlyList<AuditEntry> entries, CancellationToken ct)
    {
        var (now, here) = (await database.NowAsync(ct), clock.GetUtcNow());
        return [.. entries.Select(entry => entry with { At = entry.At < here ? now - (here - entry.At) : now })];
    }

    private static AuditRow RowOf(AuditEntry entry) => new()
    {
        At = entry.At.ToMicros(),
        KeyId = entry.Key,
        Action = entry.Action,
        Workflow = Fitting(entry.Workflow),
        InstanceId = Fitting(entry.InstanceId),
        Detail = Fitting(entry.Detail),
    };

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

    public async Task<Page<AuditEntry>> ReadAsync(AuditFilter filter, int limit, CancellationToken ct, bool isBackward = false)
    {
        if (!Fits(filter.Action) || !Fits(filter.Workflow) || !Fits(filter.Key)) return new([], false);
        var rows = await pages.RunAsync(db => Of(db, filter, isBackward).Take(limit + 1).ToListAsync(ct), ct);
        return new([.. rows.Take(limit).Select(EntryOf)], rows.Count > limit);
    }

    private static IQueryable<AuditRow> Of(BrokerDb db, AuditFilter filter, bool isBackward)
    {
        var entries = db.Audit.AsNoTracking();
        if (filter.BehindId is { } id) entries = isBackward ? entries.Where(a => a.Id > id) : entries.Where(a => a.Id < id);
        if (filter.Since is { } since)
        {
            var from = since.ToMicros();
            entries = entries.Where(a => a.At >= from);
        }

        if (filter.Workflow is { } workflow) entries = entries.Where(a => a.Workflow == workflow);
        if (filter.Action is { } action) entries = entries.Where(a => a.Action == action);
        if (filter.Key is { } key) entries = entries.Where(a => a.KeyId == key);
        return isBackward ? entries.OrderBy(a => a.Id) : entries.OrderByDescending(a => a.Id);
    }

    public async Task<int> PruneAsync(DateTimeOffset before, int batch, CancellationToken ct)
    {
        var limit = before.ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        return await db.Audit.Where(a => a.At < limit).OrderBy(a => a.At).Take(batch).ExecuteDeleteAsync(ct);
    }

    private static AuditEntry EntryOf(AuditRow row) =>
        new(Instants.FromMicros(row.At), row.KeyId, row.Action, row.Workflow, row.InstanceId, row.Detail) { Id = row.Id };

    private static bool Fits(string? text) => text is null || StorableText.Fits(text);

    private static string? Fitting(string? text) => text is null ? null : StorableText.Fitting(text);
}
