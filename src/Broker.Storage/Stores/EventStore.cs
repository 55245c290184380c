using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Signals;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class EventStore(IDatabase database, SignalHub changes, IPageReads pages) : IEventStore
{
    private const long NothingRead = -1;

    public Task<IReadOnlyList<StreamEvent>> ReadAsync(long runId, long after, int limit, CancellationToken ct) =>
        pages.RunAsync(db => ReadAsync(db, runId, after, limit, ct), ct);

    public Task<IReadOnlyList<StreamEvent>> ReadBackAsync(long runId, long before, int limit, CancellationToken ct) => pages.RunAsync<IReadOnlyList<StreamEvent>>(
        async db => (await db.Events.AsNoTracking().Where(e => e.RunId == runId && e.Seq < before).OrderByDescending(e => e.Seq).Take(limit).ToListAsync(ct)).ConvertAll(EventOf), ct);

    private static async Task<IReadOnlyList<StreamEvent>> ReadAsync(BrokerDb db, long runId, long after, int limit, CancellationToken ct)
    {
        // The run before its events: once it has ended there are no more, so what is read then is all there will be.
        var run = await db.Runs.Where(r => r.Id == runId).Select(r => new { r.Phase, r.EndedAt, r.UpdatedAt }).FirstOrDefaultAsync(ct);
        if (run is null) return [];
        var rows = await db.Events.AsNoTracking().Where(e => e.RunId == runId && e.Seq > after).OrderBy(e => e.Seq).Take(limit).ToListAsync(ct);
        var events = rows.ConvertAll(EventOf);
        if (!IsTerminal(run.Phase) || rows.Count >= limit) return events;

        var next = await db.Streams.Where(s => s.RunId == runId).Select(s => (long?)s.Next).FirstOrDefaultAsync(ct) ?? 0;
        if (next > after) events.Add(new(next, null, "{}", false, Instants.FromMicros(run.EndedAt ?? run.UpdatedAt)));
        return events;
    }

    private static StreamEvent EventOf(EventRow row) => new(row.Seq, row.Type, row.Value, row.Internal, Instants.FromMicros(row.CreatedAt));

    public async Task<long> LastSequenceAsync(long runId, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var run = await db.Runs
            .Where(r => r.Id == runId)
            .Select(r => new { r.Phase, Next = db.Streams.Where(s => s.RunId == r.Id).Select(s => (long?)s.Next).FirstOrDefault() })
            .FirstOrDefaultAsync(ct);
        if (run is null) return NothingRead;
        return IsTerminal(run.Phase) ? run.Next ?? 0 : (run.Next ?? 0) - 1;
    }

    private static bool IsTerminal(short phase) => (RunPhase)phase is RunPhase.Succeeded or RunPhase.Failed or RunPhase.Cancelled;

    public async Task<long?> TryLockQueueAsync(long runId, string reader, TimeSpan ttl, CancellationToken ct)
    {
        while (true)
        {
            using var turn = await database.WriteTurnAsync(ct);
            var now = await database.NowAsync(ct);
            var (expired, until) = (now.ToMicros(), (now + ttl).ToMicros());
            await using var db = database.CreateContext();
            var locked = await db.Streams
                .Where(s => s.RunId == runId && (s.Reader == null || s.Reader == reader || s.ReaderUntil <= expired))
                .ExecuteUpdateAsync(set => set.SetProperty(s => s.Reader, reader).SetProperty(s => s.ReaderUntil, until), ct);
            var position = await db.Streams.Where(s => s.RunId == runId).Select(s => (long?)s.ReadTo).FirstOrDefaultAsync(ct);
            if (position is not null) return locked > 0 ? position : null;
            if (!await db.Runs.AnyAsync(r => r.Id == runId, ct)) return null;

            db.Streams.Add(new StreamRow { RunId = runId, ReadTo = NothingRead, Reader = reader, ReaderUntil = until });
            try
            {
                await db.SaveChangesAsync(ct);
                return NothingRead;
            }
            catch (DbUpdateException fault) when (database.IsDuplicate(fault))
            {
                // The first event, or another reader, added the row in between: try for the lock on it.
            }
        }
    }

    public async Task<long> QueuePositionAsync(long runId, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        return await db.Streams.Where(s => s.RunId == runId).Select(s => (long?)s.ReadTo).FirstOrDefaultAsync(ct) ?? NothingRead;
    }

    public async Task<bool> AdvanceQueueAsync(long runId, string reader, long to, TimeSpan ttl, CancellationToken ct)
    {
        using var turn = await database.WriteTurnAsync(ct);
        var until = (await database.NowAsync(ct) + ttl).ToMicros();
        await using var db = database.CreateContext();
        return await db.Streams
            .Where(s => s.RunId == runId && s.Reader == reader)
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.ReadTo, to).SetProperty(s => s.ReaderUntil, until), ct) > 0;
    }

    public async Task UnlockQueueAsync(long runId, string reader, CancellationToken ct)
    {
        using (await database.WriteTurnAsync(ct))
        {
            await using var db = database.CreateContext();
            var unlocked = await db.Streams
                .Where(s => s.RunId == runId && s.Reader == reader)
                .ExecuteUpdateAsync(set => set.SetProperty(s => s.Reader, (string?)null).SetProperty(s => s.ReaderUntil, 0L), ct);
            if (unlocked == 0) return;
        }

        // The next reader waits on the run's topic.
        changes.Signal(Topics.Run(runId));
    }
}
