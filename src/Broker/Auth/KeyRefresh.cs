using Broker.Background;

namespace Broker.Auth;

/// <summary>Learns of keys that were created or revoked elsewhere: nothing is valid for longer than that after its end.</summary>
internal sealed class KeyRefresh(ApiKeyCache ring, TimeProvider clock, ILogger<KeyRefresh> log) : PeriodicService(TimeSpan.FromSeconds(2), clock, log)
{
    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await ring.RefreshAsync(ct);
        return 0;
    }
}
