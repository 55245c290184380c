using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class Outbox(IDatabase database) : IOutbox
{
    public async Task<IReadOnlyList<OutboxEntry>> TakeAsync(int most, TimeSpan lease, CancellationToken ct)
    {
        var now = (await database.NowOrBeforeAsync(ct)).ToMicros();
        await using var db = database.CreateContext();
        var free = await Free(db, now, most).Select(o => o.Id).ToListAsync(ct);
        if (free.Count == 0) return [];

        // A second broker waits for the first one's rows and then finds them leased.
        var (owner, until) = (Guid.NewGuid().ToString("N"), now + (lease.Ticks / TimeSpan.TicksPerMicrosecond));
        using (await database.WriteTurnAsync(ct))
        {
            await db.Outbox.Where(o => free.Contains(o.Id) && o.LeaseUntil <= now)
                .ExecuteUpdateAsync(set => set.SetProperty(o => o.Owner, owner).SetProperty(o => o.LeaseUntil, until), ct);
        }

        var rows = await db.Outbox.AsNoTracking().Where(o => free.Contains(o.Id) && o.Owner == owner).OrderBy(o => o.Id).ToListAsync(ct);
        return rows.ConvertAll(row => new OutboxEntry(row.Id, (OutboxKind)row.Kind, row.RunId, row.Body));
    }

    public async Task RemoveAsync(IReadOnlyList<long> ids, CancellationToken ct)
    {
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await db.Outbox.Where(o => ids.Contains(o.Id)).ExecuteDeleteAsync(ct);
    }

    /// <summary>Rows without a lease, in order. The table holds only notices that were not sent yet, so a walk along its key is short.</summary>
    internal static IQueryable<OutboxRow> Free(BrokerDb db, long now, int most) => db.Outbox.Where(o => o.LeaseUntil <= now).OrderBy(o => o.Id).Take(most);
}
