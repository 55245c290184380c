using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class BulkStore(IDatabase database, IPageReads pages) : IBulkStore
{
    // Rows that one statement adds.
    private const int Page = 2_000;

    public Task<DateTimeOffset> NowAsync(CancellationToken ct) => database.NowAsync(ct);

    public async Task<BulkRecord> AddAsync(BulkRecord bulk, IReadOnlyList<BulkItem> items, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var row = new BulkRow
        {
            Phase = (short)bulk.Phase,
            Action = bulk.Action,
            Choice = bulk.Where,
            Args = bulk.ArgsJson,
            Exclude = bulk.ExcludeJson,
            Rate = bulk.Rate,
            KeyId = bulk.KeyId,
            Workflows = bulk.Workflows is null ? null : JsonColumn.Write(bulk.Workflows),
            Reason = bulk.Reason,
            Confirm = bulk.Confirm,
            AsOf = bulk.AsOf.ToMicros(),
            CreatedAt = now,
            StartedAt = bulk.Phase is BulkPhase.Planned ? null : now,
            Total = items.Count,
        };
        db.Bulk.Add(row);
        await db.SaveChangesAsync(ct);
        foreach (var some in items.Chunk(Page)) await db.AddBulkItemsAsync(row.Id, some, ct);
        await transaction.CommitAsync(ct);
        return RecordOf(row);
    }

    public async Task<BulkRecord?> FindAsync(long id, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        return await FindAsync(db, id, ct);
    }

    public async Task<Page<BulkRecord>> ListAsync(long? behind, IReadOnlyList<string>? workflows, int limit, CancellationToken ct, bool isBackward = false)
    {
        // A limited caller sees those whose key was limited to some of its workflows: they are few, and looked at page by page.
        var found = new List<BulkRecord>();
        var end = behind ?? (isBackward ? 0 : long.MaxValue);
        while (true)
        {
            var rows = await pages.RunAsync(
                db => (isBackward ? db.Bulk.Where(b => b.Id > end).OrderBy(b => b.Id) : db.Bulk.Where(b => b.Id < end).OrderByDescending(b => b.Id))
                    .AsNoTracking().Take(limit + 1).ToListAsync(ct),
                ct);
            found.AddRange(rows.Select(RecordOf).Where(bulk => workflows is null || bulk.Workflows?.All(workflows.Contains) is true));
            if (found.Count > limit || rows.Count <= limit) return new([.. found.Take(limit)], found.Count > limit);
            end = rows[^1].Id;
        }
    }

    public async Task<bool> StartAsync(long id, string? reason, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        return await db.Bulk.Where(b => b.Id == id && b.Phase == (short)BulkPhase.Planned).ExecuteUpdateAsync(
            set => set
                .SetProperty(b => b.Phase, b => b.Choice == null ? (short)BulkPhase.Running : (short)BulkPhase.Collecting)
                .SetProperty(b => b.StartedAt, now)
                .SetProperty(b => b.Reason, b => reason ?? b.Reason),
            ct) > 0;
    }

    public async Task<bool> StopAsync(long id, string? why, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        var stopped = await db.Bulk.Where(b => b.Id == id && b.Phase < (short)BulkPhase.Done).ExecuteUpdateAsync(
            set => set.SetProperty(b => b.Phase, (short)BulkPhase.Stopped).SetProperty(b => b.EndedAt, now).SetProperty(b => b.StoppedBecause, why), ct);
        if (stopped == 0) return false;

        // No broker takes the lease of a stopped action, so what a killed one has not counted is counted here.
        if (await db.Bulk.AnyAsync(b => b.Id == id && b.Owner != null && b.LeaseUntil <= now, ct)) await CountDoneAsync(db, id, ct);
        return true;
    }

    public async Task<BulkRecord?> LeaseAsync(string owner, TimeSpan lease, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        await using var db = database.CreateContext();
        var open = await db.Bulk.Where(b => b.Phase >= (short)BulkPhase.Collecting && b.Phase <= (short)BulkPhase.Running && b.LeaseUntil <= now)
            .OrderBy(b => b.LeaseUntil).Select(b => new { b.Id, IsCounted = b.Owner == null }).Take(10).ToListAsync(ct);
        foreach (var bulk in open)
        {
            using var turn = await database.WriteTurnAsync(ct);
            var leased = await Open(db, bulk.Id).Where(b => b.LeaseUntil <= now).ExecuteUpdateAsync(
                set => set.SetProperty(b => b.Owner, owner).SetProperty(b => b.LeaseUntil, now + Micros(lease)), ct);
            if (leased == 0) continue;
            if (!bulk.IsCounted) await CountDoneAsync(db, bulk.Id, ct);
            return await FindAsync(db, bulk.Id, ct);
        }

        return null;
    }

    public async Task ReleaseAsync(long id, string owner, bool isCounted, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await db.Bulk.Where(b => b.Id == id && b.Owner == owner).ExecuteUpdateAsync(
            set => set.SetProperty(b => b.LeaseUntil, now).SetProperty(b => b.Owner, isCounted ? null : owner), ct);
    }

    public async Task<BulkRecord?> CollectAsync(BulkRecord bulk, string owner, TimeSpan lease, IReadOnlyList<BulkItem> items, RunListPlace? next, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        var (total, place) = (items.Count > 0 ? items[^1].Seq : bulk.Total, next is null ? null : JsonColumn.Write(next));
        var phase = next is null ? (short)BulkPhase.Running : (short)BulkPhase.Collecting;
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var written = await db.Bulk.Where(b => b.Id == bulk.Id && b.Owner == owner && b.Phase == (short)BulkPhase.Collecting).ExecuteUpdateAsync(
            set => set
                .SetProperty(b => b.Phase, phase)
                .SetProperty(b => b.Place, place)
                .SetProperty(b => b.Total, total)
                .SetProperty(b => b.LeaseUntil, now + Micros(lease)),
            ct);
        if (written == 0) return null;
        foreach (var some in items.Chunk(Page)) await db.AddBulkItemsAsync(bulk.Id, some, ct);
        await transaction.CommitAsync(ct);
        return bulk with { Phase = (BulkPhase)phase, Place = next, Total = total };
    }

    public async Task<IReadOnlyList<BulkItem>> PendingAsync(long id, int after, int most, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var rows = await db.BulkItems.AsNoTracking().Where(i => i.BulkId == id && i.Outcome == (short)BulkOutcome.Pending && i.Seq > after).OrderBy(i => i.Seq).Take(most).ToListAsync(ct);
        return rows.ConvertAll(ItemOf);
    }

    public async Task<BulkRecord?> RecordAsync(BulkRecord bulk, string owner, TimeSpan lease, IReadOnlyList<BulkEnd> ends, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);

        // Also of an action that was stopped meanwhile: its outcomes are written.
        if (await db.Bulk.Where(b => b.Id == bulk.Id && b.Owner == owner).ExecuteUpdateAsync(set => set.SetProperty(b => b.LeaseUntil, now + Micros(lease)), ct) == 0) return null;
        var (failed, skipped, isLast) = (0, 0, ends.Count == 0);
        foreach (var same in ends.GroupBy(end => (end.Outcome, end.Code, end.Message)))
        {
            var (outcome, code, message) = ((short)same.Key.Outcome, same.Key.Code, same.Key.Message);
            int[] seqs = [.. same.Select(end => end.Seq)];
            var changed = await db.BulkItems.Where(i => i.BulkId == bulk.Id && seqs.Contains(i.Seq) && i.Outcome == (short)BulkOutcome.Pending).ExecuteUpdateAsync(
                set => set.SetProperty(i => i.Outcome, outcome).SetProperty(i => i.Code, code).SetProperty(i => i.Message, message), ct);
            if (same.Key.Outcome is BulkOutcome.Failed) failed += changed;
            if (same.Key.Outcome is BulkOutcome.Skipped) skipped += changed;
        }

        // The others are done: here, or by the commands themselves.
        var done = ends.Count - failed - skipped;
        await db.Bulk.Where(b => b.Id == bulk.Id).ExecuteUpdateAsync(
            set => set
                .SetProperty(b => b.Done, b => b.Done + done)
                .SetProperty(b => b.Failed, b => b.Failed + failed)
                .SetProperty(b => b.Skipped, b => b.Skipped + skipped)
                .SetProperty(b => b.EndedAt, b => isLast && b.Phase == (short)BulkPhase.Running ? now : b.EndedAt)
                .SetProperty(b => b.Phase, b => isLast && b.Phase == (short)BulkPhase.Running ? (short)BulkPhase.Done : b.Phase),
            ct);
        var after = await FindAsync(db, bulk.Id, ct);
        await transaction.CommitAsync(ct);
        return after;
    }

    public async Task<Page<BulkItemResult>> ResultsAsync(long id, IReadOnlyList<BulkOutcome>? outcomes, int behind, int limit, CancellationToken ct, bool isBackward = false)
    {
        short[]? wanted = outcomes is null ? null : [.. outcomes.Select(outcome => (short)outcome)];
        var rows = await pages.RunAsync(
            db =>
            {
                var items = db.BulkItems.AsNoTracking().Where(i => i.BulkId == id && (wanted == null || wanted.Contains(i.Outcome)));
                items = isBackward ? items.Where(i => i.Seq < behind).OrderByDescending(i => i.Seq) : items.Where(i => i.Seq > behind).OrderBy(i => i.Seq);
                return items.Take(limit + 1).ToListAsync(ct);
            },
            ct);
        return new([.. rows.Take(limit).Select(row => new BulkItemResult(ItemOf(row), (BulkOutcome)row.Outcome, row.Code, row.Message))], rows.Count > limit);
    }

    public async Task<int> PruneAsync(DateTimeOffset endedBefore, DateTimeOffset plannedBefore, int batch, CancellationToken ct)
    {
        var (ended, planned) = (endedBefore.ToMicros(), plannedBefore.ToMicros());
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        var old = await db.Bulk.Where(b => (b.Phase == (short)BulkPhase.Planned && b.CreatedAt < planned) || b.EndedAt < ended).OrderBy(b => b.Id).Select(b => (long?)b.Id).FirstOrDefaultAsync(ct);
        if (old is not { } id) return 0;
        var items = await db.BulkItems.Where(i => i.BulkId == id).OrderBy(i => i.Seq).Take(batch).ExecuteDeleteAsync(ct);
        if (items < batch) await db.Bulk.Where(b => b.Id == id).ExecuteDeleteAsync(ct);

        // As long as there are further ones the caller goes on.
        return batch;
    }

    // Items that commands have done, whether or not a broker lived to count them. Open items have an index of their own.
    private static async Task CountDoneAsync(BrokerDb db, long id, CancellationToken ct)
    {
        var others = await db.BulkItems.CountAsync(i => i.BulkId == id && i.Outcome != (short)BulkOutcome.Done, ct);
        await db.Bulk.Where(b => b.Id == id).ExecuteUpdateAsync(set => set.SetProperty(b => b.Done, b => b.Total - others), ct);
    }

    private static IQueryable<BulkRow> Open(BrokerDb db, long id) =>
        db.Bulk.Where(b => b.Id == id && b.Phase >= (short)BulkPhase.Collecting && b.Phase <= (short)BulkPhase.Running);

    private static async Task<BulkRecord?> FindAsync(BrokerDb db, long id, CancellationToken ct) =>
        await db.Bulk.AsNoTracking().SingleOrDefaultAsync(b => b.Id == id, ct) is { } row ? RecordOf(row) : null;

    private static BulkItem ItemOf(BulkItemRow row) => new(row.Seq, row.RunId, row.Workflow, row.InstanceId, row.Number);

    private static BulkRecord RecordOf(BulkRow row) => new()
    {
        Id = row.Id,
        Phase = (BulkPhase)row.Phase,
        Action = row.Action,
        Where = row.Choice,
        ArgsJson = row.Args,
        ExcludeJson = row.Exclude,
        Rate = row.Rate,
        KeyId = row.KeyId,
        Workflows = row.Workflows is null ? null : JsonColumn.Read<string[]>(row.Workflows),
        Reason = row.Reason,
        Confirm = row.Confirm,
        AsOf = Instants.FromMicros(row.AsOf),
        CreatedAt = Instants.FromMicros(row.CreatedAt),
        StartedAt = Instants.FromMicros(row.StartedAt),
        EndedAt = Instants.FromMicros(row.EndedAt),
        StoppedBecause = row.StoppedBecause,
        Total = row.Total,
        Done = row.Done,
        Failed = row.Failed,
        Skipped = row.Skipped,
        Place = row.Place is null ? null : JsonColumn.Read<RunListPlace>(row.Place),
    };

    private static long Micros(TimeSpan length) => length.Ticks / TimeSpan.TicksPerMicrosecond;
}
