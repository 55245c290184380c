using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class SessionStore(IDatabase database) : ISessionStore
{
    private const int MostListed = 1000;

    public async Task AddAsync(StoredSession session, TimeSpan life, CancellationToken ct)
    {
        var now = await database.NowAsync(ct);
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Sessions.Where(s => s.ExpiresAt <= now.ToMicros()).ExecuteDeleteAsync(ct);
        var oldest = await db.Sessions.AsNoTracking().Where(s => s.KeyId == session.KeyId).OrderByDescending(s => s.CreatedAt)
            .Skip(ISessionStore.MostOfKey - 1).Select(s => s.Id).ToListAsync(ct);
        if (oldest.Count > 0) await db.Sessions.Where(s => oldest.Contains(s.Id)).ExecuteDeleteAsync(ct);
        db.Sessions.Add(new SessionRow
        {
            Id = session.Id,
            Hash = session.Hash,
            KeyId = session.KeyId,
            Agent = StorableText.Fitting(session.Agent),
            CreatedAt = now.ToMicros(),
            SeenAt = now.ToMicros(),
            ExpiresAt = (now + life).ToMicros(),
        });
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    public async Task<StoredSession?> FindAsync(string hash, TimeSpan idle, CancellationToken ct)
    {
        var now = await database.NowAsync(ct);
        await using var db = database.CreateContext();
        var row = await db.Sessions.AsNoTracking().SingleOrDefaultAsync(s => s.Hash == hash && s.ExpiresAt > now.ToMicros() && s.SeenAt > (now - idle).ToMicros(), ct);
        return row is null ? null : Of(row);
    }

    public async Task SeenAsync(string hash, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await db.Sessions.Where(s => s.Hash == hash && s.SeenAt < now).ExecuteUpdateAsync(set => set.SetProperty(s => s.SeenAt, now), ct);
    }

    public async Task<IReadOnlyList<StoredSession>> ListAsync(TimeSpan idle, CancellationToken ct)
    {
        var now = await database.NowAsync(ct);
        await using var db = database.CreateContext();
        var rows = await db.Sessions.AsNoTracking().Where(s => s.ExpiresAt > now.ToMicros() && s.SeenAt > (now - idle).ToMicros()).OrderByDescending(s => s.CreatedAt).ThenBy(s => s.Id).Take(MostListed).ToListAsync(ct);
        return rows.ConvertAll(Of);
    }

    public async Task<bool> EndAsync(string id, CancellationToken ct)
    {
        if (!StorableText.Fits(id)) return false;
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        return await db.Sessions.Where(s => s.Id == id).ExecuteDeleteAsync(ct) > 0;
    }

    private static StoredSession Of(SessionRow row) => new(
        row.Id, row.Hash, row.KeyId, row.Agent, Instants.FromMicros(row.CreatedAt), Instants.FromMicros(row.SeenAt), Instants.FromMicros(row.ExpiresAt));
}
