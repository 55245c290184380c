using Broker.Storage.Lanes;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>The memory of starts that may be sent again.</summary>
public interface IStartKeyStore
{
    /// <summary>Forgets starts older than that, at most a batch; returns how many.</summary>
    Task<int> ForgetAsync(TimeSpan age, int batch, CancellationToken ct);
}

internal sealed class StartKeyStore(IEngine engine) : IStartKeyStore
{
    public async Task<int> ForgetAsync(TimeSpan age, int batch, CancellationToken ct)
    {
        var limit = (await engine.NowAsync(ct) - age).ToMicros();
        await using var db = engine.CreateContext();
        var old = await db.StartKeys.Where(k => k.At < limit).OrderBy(k => k.At).Take(batch).Select(k => k.Key).ToListAsync(ct);
        if (old.Count == 0) return 0;
        using var turn = await engine.WriteTurnAsync(ct);
        return await db.StartKeys.Where(k => old.Contains(k.Key)).ExecuteDeleteAsync(ct);
    }
}
