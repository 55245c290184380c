using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class StartKeyStore(IDatabase database) : IStartKeyStore
{
    public async Task<int> ForgetAsync(TimeSpan age, int batch, CancellationToken ct)
    {
        var limit = (await database.NowAsync(ct) - age).ToMicros();
        await using var db = database.CreateContext();
        var old = await db.StartKeys.Where(k => k.At < limit).OrderBy(k => k.At).Take(batch).Select(k => k.Key).ToListAsync(ct);
        if (old.Count == 0) return 0;
        using var turn = await database.WriteTurnAsync(ct);
        return await db.StartKeys.Where(k => old.Contains(k.Key)).ExecuteDeleteAsync(ct);
    }
}
