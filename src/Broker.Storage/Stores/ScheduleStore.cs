using Broker.Core.Schedules;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class ScheduleStore(IDatabase database, IPageReads pages) : IScheduleStore
{
    private const string AddTurn = "schedule";
    private const int DeletedTogether = 1_000;

    public async Task<ScheduleTurn> TakeAsync(string owner, int most, TimeSpan lease, CancellationToken ct)
    {
        var now = await database.NowAsync(ct);
        var (micros, until) = (now.ToMicros(), (now + lease).ToMicros());
        await using var db = database.CreateContext();
        if (!await db.Schedules.AnyAsync(s => s.NextAt != null && s.NextAt <= micros, ct)) return new(now, []);
        using var turn = await database.WriteTurnAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var due = await db.TakeDueSchedules(micros, most).ToListAsync(ct);
        await db.Schedules.Where(s => due.Contains(s.Name)).ExecuteUpdateAsync(set => set.SetProperty(s => s.Owner, owner).SetProperty(s => s.NextAt, until), ct);
        var rows = await db.Schedules.AsNoTracking().Where(s => due.Contains(s.Name)).OrderBy(s => s.Name).ToListAsync(ct);
        await transaction.CommitAsync(ct);
        return new(now, rows.ConvertAll(ScheduleOf));
    }

    public async Task<bool> EndAsync(StoredSchedule schedule, string owner, ScheduleRound round, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        var started = round.Firings.Count(f => f.Phase is FiringPhase.Started);
        var skipped = round.Firings.Where(f => f.Phase is FiringPhase.Skipped).Sum(f => (long)f.Count);
        var (last, due) = (round.Base.ToMicros(), round.DueAt.ToMicros());
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var written = await db.Schedules.Where(s => s.Name == schedule.Name && s.Owner == owner && s.Revision == schedule.Revision).ExecuteUpdateAsync(
            set => set
                .SetProperty(s => s.Owner, (string?)null)
                .SetProperty(s => s.LastNominal, last)
                .SetProperty(s => s.PausedUntil, (long?)null)
                .SetProperty(s => s.NextAt, due)
                .SetProperty(s => s.DisabledBecause, round.DisabledBecause)
                .SetProperty(s => s.LastInstance, s => round.LastInstance ?? s.LastInstance)
                .SetProperty(s => s.LastAt, s => round.LastInstance == null ? s.LastAt : now)
                .SetProperty(s => s.Started, s => s.Started + started)
                .SetProperty(s => s.Skipped, s => s.Skipped + skipped),
            ct);
        if (written == 0) return false;
        if (round.Pause is { } note)
        {
            await db.Schedules.Where(s => s.Name == schedule.Name && s.PausedAt == null)
                .ExecuteUpdateAsync(set => set.SetProperty(s => s.PausedAt, now).SetProperty(s => s.PausedBy, "broker").SetProperty(s => s.PauseNote, note), ct);
        }

        foreach (var firing in round.Firings.Where(f => f.Id > 0))
        {
            await db.Firings.Where(f => f.Id == firing.Id).ExecuteUpdateAsync(
                set => set.SetProperty(f => f.Phase, (short)firing.Phase).SetProperty(f => f.Reason, firing.Reason).SetProperty(f => f.Detail, firing.Detail)
                    .SetProperty(f => f.Instance, firing.Instance).SetProperty(f => f.At, now),
                ct);
        }

        db.Firings.AddRange(round.Firings.Where(f => f.Id == 0).Select(f => RowOf(schedule.Name, f, now)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    public async Task<(SchedulePut Outcome, StoredSchedule? Schedule)> PutAsync(string name, string workflow, string specJson, string keyId, int most, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await database.LockAsync(db, [AddTurn], ct);
        var before = await db.Schedules.AsNoTracking().SingleOrDefaultAsync(s => s.Name == name, ct);
        if (before is { IsOwned: true }) return (SchedulePut.Owned, ScheduleOf(before));
        if (before is not null && before.Workflow == workflow && ScheduleReader.AreSame(before.Spec, specJson)) return (SchedulePut.Unchanged, ScheduleOf(before));
        if (before is null && await db.Schedules.CountAsync(ct) >= most) return (SchedulePut.Full, null);
        await WriteAsync(db, before, NewRow(name, workflow, specJson, keyId, isOwned: false, now), now, ct);
        var row = await db.Schedules.AsNoTracking().SingleAsync(s => s.Name == name, ct);
        await transaction.CommitAsync(ct);
        return (before is null ? SchedulePut.Created : SchedulePut.Changed, ScheduleOf(row));
    }

    /// <summary>Makes the schedules of a definition that is the latest of its name now what it says, in the transaction that makes it so.</summary>
    internal static async Task FollowAsync(BrokerDb db, string workflow, IReadOnlyList<ScheduleEntry> entries, long now, CancellationToken ct)
    {
        var before = await db.Schedules.AsNoTracking().Where(s => s.Workflow == workflow && s.IsOwned).ToListAsync(ct);
        if (before.Count == 0 && entries.Count == 0) return;
        var named = entries.ToDictionary(entry => ScheduleReader.NameOf(workflow, entry.Name), StringComparer.Ordinal);
        foreach (var row in before.Where(row => !named.ContainsKey(row.Name))) await RemoveAsync(db, row.Name, ct);
        foreach (var (name, entry) in named)
        {
            var row = before.Find(row => row.Name == name);
            if (row is null || !ScheduleReader.AreSame(row.Spec, entry.SpecJson)) await WriteAsync(db, row, NewRow(name, workflow, entry.SpecJson, "broker", isOwned: true, now), now, ct);
        }
    }

    // The next round computes the instants: the rule begins now.
    private static ScheduleRow NewRow(string name, string workflow, string spec, string keyId, bool isOwned, long now) => new()
    {
        Name = name,
        Workflow = workflow,
        IsOwned = isOwned,
        Spec = spec,
        KeyId = keyId,
        Revision = 1,
        LastNominal = now,
        NextAt = now,
        CreatedAt = now,
        UpdatedAt = now,
    };

    private static async Task WriteAsync(BrokerDb db, ScheduleRow? before, ScheduleRow row, long now, CancellationToken ct)
    {
        if (before is null)
        {
            db.Schedules.Add(row);
            await db.SaveChangesAsync(ct);
            return;
        }

        await db.Schedules.Where(s => s.Name == row.Name).ExecuteUpdateAsync(
            set => set
                .SetProperty(s => s.Workflow, row.Workflow)
                .SetProperty(s => s.Spec, row.Spec)
                .SetProperty(s => s.KeyId, row.KeyId)
                .SetProperty(s => s.Revision, s => s.Revision + 1)
                .SetProperty(s => s.DisabledBecause, (string?)null)
                .SetProperty(s => s.LastNominal, now)
                .SetProperty(s => s.PausedUntil, (long?)null)
                .SetProperty(s => s.NextAt, now)
                .SetProperty(s => s.Owner, (string?)null)
                .SetProperty(s => s.LastInstance, s => s.Workflow == row.Workflow ? s.LastInstance : null)
                .SetProperty(s => s.UpdatedAt, now),
            ct);
    }

    public async Task<StoredSchedule?> FindAsync(string name, CancellationToken ct)
    {
        if (!StorableText.Fits(name)) return null;
        await using var db = database.CreateContext();
        return await FindAsync(db, name, ct);
    }

    private static async Task<StoredSchedule?> FindAsync(BrokerDb db, string name, CancellationToken ct) =>
        await db.Schedules.AsNoTracking().SingleOrDefaultAsync(s => s.Name == name, ct) is { } row ? ScheduleOf(row) : null;

    public async Task<Page<StoredSchedule>> ListAsync(ScheduleChoice choice, int limit, CancellationToken ct)
    {
        var rows = await pages.RunAsync(
            db =>
            {
                var of = db.Schedules.AsNoTracking();
                if (choice.After is { } after) of = choice.IsBackward ? of.Where(s => string.Compare(s.Name, after) < 0) : of.Where(s => string.Compare(s.Name, after) > 0);
                if (choice.Text is { } text) of = of.Where(s => s.Name.Contains(text) || s.Workflow.Contains(text));
                if (choice.IsPaused is { } paused) of = of.Where(s => s.PausedAt != null == paused);
                if (choice.Workflows is { } workflows) of = of.Where(s => workflows.Contains(s.Workflow));
                return (choice.IsBackward ? of.OrderByDescending(s => s.Name) : of.OrderBy(s => s.Name)).Take(limit + 1).ToListAsync(ct);
            },
            ct);
        return new([.. rows.Take(limit).Select(ScheduleOf)], rows.Count > limit);
    }

    public async Task<StoredSchedule?> DeleteAsync(string name, CancellationToken ct)
    {
        if (!StorableText.Fits(name)) return null;
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        var before = await FindAsync(db, name, ct);
        if (before is { IsOwned: false }) await RemoveAsync(db, name, ct);
        return before;
    }

    private static async Task RemoveAsync(BrokerDb db, string name, CancellationToken ct)
    {
        await db.Schedules.Where(s => s.Name == name).ExecuteDeleteAsync(ct);
        while (await db.Firings.Where(f => f.Schedule == name).OrderBy(f => f.Id).Take(DeletedTogether).ExecuteDeleteAsync(ct) == DeletedTogether)
        {
            // In bounded parts.
        }
    }

    public async Task<StoredSchedule?> PauseAsync(string name, string keyId, string? note, CancellationToken ct)
    {
        if (!StorableText.Fits(name)) return null;
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();

        // A round that is under way ends as it began: what it has started is written.
        await db.Schedules.Where(s => s.Name == name).ExecuteUpdateAsync(
            set => set
                .SetProperty(s => s.PausedAt, s => s.PausedAt ?? now)
                .SetProperty(s => s.PausedBy, keyId)
                .SetProperty(s => s.PauseNote, note)
                .SetProperty(s => s.UpdatedAt, now),
            ct);
        return await FindAsync(db, name, ct);
    }

    public async Task<StoredSchedule?> ResumeAsync(string name, CancellationToken ct)
    {
        if (!StorableText.Fits(name)) return null;
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await db.Schedules.Where(s => s.Name == name && s.PausedAt != null).ExecuteUpdateAsync(
            set => set
                .SetProperty(s => s.Revision, s => s.Revision + 1)
                .SetProperty(s => s.PausedAt, (long?)null)
                .SetProperty(s => s.PausedBy, (string?)null)
                .SetProperty(s => s.PauseNote, (string?)null)
                .SetProperty(s => s.PausedUntil, now)
                .SetProperty(s => s.NextAt, now)
                .SetProperty(s => s.Owner, (string?)null)
                .SetProperty(s => s.UpdatedAt, now),
            ct);
        return await FindAsync(db, name, ct);
    }

    public async Task<IReadOnlyList<Firing>?> AddAsync(string name, IReadOnlyList<Firing> firings, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        var started = firings.LastOrDefault(f => f.Phase is FiringPhase.Started);
        var isDue = firings.Any(f => f.Phase is FiringPhase.Waiting);
        var (count, skipped) = (firings.Count(f => f.Phase is FiringPhase.Started), firings.Where(f => f.Phase is FiringPhase.Skipped).Sum(f => (long)f.Count));
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);

        // A round that is under way ends without effect, and another one sees what is added.
        var written = await db.Schedules.Where(s => s.Name == name).ExecuteUpdateAsync(
            set => set
                .SetProperty(s => s.Owner, s => isDue ? null : s.Owner)
                .SetProperty(s => s.NextAt, s => isDue ? now : s.NextAt)
                .SetProperty(s => s.LastInstance, s => started == null ? s.LastInstance : started.Instance)
                .SetProperty(s => s.LastAt, s => started == null ? s.LastAt : now)
                .SetProperty(s => s.Started, s => s.Started + count)
                .SetProperty(s => s.Skipped, s => s.Skipped + skipped),
            ct);
        if (written == 0) return null;
        var rows = firings.Select(f => RowOf(name, f, now)).ToList();
        db.Firings.AddRange(rows);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return rows.ConvertAll(FiringOf);
    }

    public async Task<IReadOnlyList<Firing>> WaitingAsync(string name, int most, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var rows = await db.Firings.AsNoTracking().Where(f => f.Schedule == name && f.Phase == (short)FiringPhase.Waiting).OrderBy(f => f.Nominal).Take(most).ToListAsync(ct);
        return rows.ConvertAll(FiringOf);
    }

    public async Task<Page<Firing>> HistoryAsync(string name, FiringPhase? phase, long? behind, int limit, CancellationToken ct, bool isBackward = false)
    {
        var rows = await pages.RunAsync(
            db =>
            {
                var of = db.Firings.AsNoTracking().Where(f => f.Schedule == name);
                if (behind is { } id) of = isBackward ? of.Where(f => f.Id > id) : of.Where(f => f.Id < id);
                if (phase is { } only)
                {
                    var number = (short)only;
                    of = of.Where(f => f.Phase == number);
                }

                return (isBackward ? of.OrderBy(f => f.Id) : of.OrderByDescending(f => f.Id)).Take(limit + 1).ToListAsync(ct);
            },
            ct);
        return new([.. rows.Take(limit).Select(FiringOf)], rows.Count > limit);
    }

    public async Task<int> PruneAsync(DateTimeOffset before, int batch, CancellationToken ct)
    {
        var limit = before.ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        return await db.Firings.Where(f => f.At < limit && f.Phase != (short)FiringPhase.Waiting).OrderBy(f => f.At).Take(batch).ExecuteDeleteAsync(ct);
    }

    private static StoredSchedule ScheduleOf(ScheduleRow row) => new()
    {
        Name = row.Name,
        Workflow = row.Workflow,
        IsOwned = row.IsOwned,
        SpecJson = row.Spec,
        KeyId = row.KeyId,
        Revision = row.Revision,
        PausedAt = Instants.FromMicros(row.PausedAt),
        PausedBy = row.PausedBy,
        PauseNote = row.PauseNote,
        DisabledBecause = row.DisabledBecause,
        Base = Instants.FromMicros(row.LastNominal),
        PausedUntil = Instants.FromMicros(row.PausedUntil),
        LastInstance = row.LastInstance,
        LastAt = Instants.FromMicros(row.LastAt),
        Started = row.Started,
        Skipped = row.Skipped,
        CreatedAt = Instants.FromMicros(row.CreatedAt),
        UpdatedAt = Instants.FromMicros(row.UpdatedAt),
    };

    private static ScheduleFiringRow RowOf(string schedule, Firing firing, long now) => new()
    {
        Schedule = schedule,
        Kind = (short)firing.Kind,
        Phase = (short)firing.Phase,
        Nominal = firing.Nominal.ToMicros(),
        Until = firing.Until.ToMicros(),
        Count = firing.Count,
        IsCapped = firing.IsCapped,
        Reason = firing.Reason,
        Detail = firing.Detail,
        Instance = firing.Instance,
        Overlap = (short?)firing.Overlap,
        At = now,
    };

    private static Firing FiringOf(ScheduleFiringRow row) => new()
    {
        Id = row.Id,
        Kind = (FiringKind)row.Kind,
        Phase = (FiringPhase)row.Phase,
        Nominal = Instants.FromMicros(row.Nominal),
        Until = Instants.FromMicros(row.Until),
        Count = row.Count,
        IsCapped = row.IsCapped,
        Reason = row.Reason,
        Detail = row.Detail,
        Instance = row.Instance,
        Overlap = (Overlap?)row.Overlap,
        At = Instants.FromMicros(row.At),
    };
}
