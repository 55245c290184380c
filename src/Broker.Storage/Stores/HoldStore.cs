using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class HoldStore(IDatabase database) : IHoldStore
{
    public async Task PutAsync(HoldKind kind, string name, string keyId, string? reason, CancellationToken ct)
    {
        var (stored, now) = ((short)kind, (await database.NowAsync(ct)).ToMicros());
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO hold (kind, name, at, key_id, reason) VALUES ({stored}, {name}, {now}, {keyId}, {reason})
            ON CONFLICT (kind, name) DO UPDATE SET at = excluded.at, key_id = excluded.key_id, reason = excluded.reason
            """,
            ct);
    }

    public async Task<bool> RemoveAsync(HoldKind kind, string name, CancellationToken ct)
    {
        if (!StorableText.Fits(name)) return false;
        var stored = (short)kind;
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        return await db.Holds.Where(h => h.Kind == stored && h.Name == name).ExecuteDeleteAsync(ct) > 0;
    }

    public async Task<IReadOnlyList<Hold>> ListAsync(CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var rows = await db.Holds.AsNoTracking().OrderBy(h => h.Kind).ThenBy(h => h.Name).ToListAsync(ct);
        return rows.ConvertAll(row => new Hold((HoldKind)row.Kind, row.Name, Instants.FromMicros(row.At), row.KeyId, row.Reason));
    }
}
