using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class KeyStore(IDatabase database, TimeProvider clock) : IKeyStore
{
    public async Task AddAsync(StoredKey key, string by, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        db.Keys.Add(new ApiKeyRow
        {
            Id = key.Id,
            Name = StorableText.Fitting(key.Name),
            Hash = key.Hash,
            Scopes = JsonColumn.Write(key.Scopes),
            Workflows = key.Workflows is null ? null : JsonColumn.Write(key.Workflows),
            CreatedAt = now,
        });
        db.Audit.Add(new AuditRow { At = now, KeyId = by, Action = "create_key", Detail = StorableText.Fitting($"{key.Id} {key.Name}") });
        await db.SaveChangesAsync(ct);
    }

    public async Task<bool> RevokeAsync(string id, string by, CancellationToken ct)
    {
        if (!StorableText.Fits(id)) return false;
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.Keys.Where(k => k.Id == id && k.RevokedAt == null).ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, now), ct) == 0) return false;
        db.Audit.Add(new AuditRow { At = now, KeyId = by, Action = "revoke_key", Detail = id });
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    public async Task<IReadOnlyList<StoredKey>> ListAsync(CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var rows = await db.Keys.AsNoTracking().OrderBy(k => k.CreatedAt).ThenBy(k => k.Id).ToListAsync(ct);
        return rows.ConvertAll(row => new StoredKey(
            row.Id, row.Name, row.Hash, JsonColumn.Read<string[]>(row.Scopes), row.Workflows is null ? null : JsonColumn.Read<string[]>(row.Workflows),
            Instants.FromMicros(row.CreatedAt), Instants.FromMicros(row.LastUsedAt), Instants.FromMicros(row.RevokedAt)));
    }

    public async Task UsedAsync(IReadOnlyDictionary<string, DateTimeOffset> lastUsed, CancellationToken ct)
    {
        // Timed by this broker's clock and stored by the store's: how long ago is the same on both.
        var (now, here) = (await database.NowAsync(ct), clock.GetUtcNow());
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();

        // In order of id, as every broker does: no two wait for each other.
        foreach (var (id, used) in lastUsed.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var at = (used < here ? now - (here - used) : now).ToMicros();
            await db.Keys.Where(k => k.Id == id && (k.LastUsedAt == null || k.LastUsedAt < at)).ExecuteUpdateAsync(set => set.SetProperty(k => k.LastUsedAt, at), ct);
        }
    }
}
