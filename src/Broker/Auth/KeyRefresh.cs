using Broker.Background;

namespace Broker.Auth;

/// <summary>Refreshes keys and sessions every 2 s: one that another process ended is valid for that long, a session for 5 s at most.</summary>
internal sealed class KeyRefresh(ApiKeyCache keys, SessionCache sessions, TimeProvider clock, ILogger<KeyRefresh> log) : PeriodicService(TimeSpan.FromSeconds(2), clock, log)
{
    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await keys.RefreshAsync(ct);
        await sessions.RefreshAsync(ct);
        return 0;
    }
}
