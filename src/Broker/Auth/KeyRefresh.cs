using Broker.Background;

namespace Broker.Auth;

/// <summary>Refreshes the keys every 2 s: a key that another process revoked is valid for that long at most.</summary>
internal sealed class KeyRefresh(ApiKeyCache keys, TimeProvider clock, ILogger<KeyRefresh> log) : PeriodicService(TimeSpan.FromSeconds(2), clock, log)
{
    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await keys.RefreshAsync(ct);
        return 0;
    }
}
