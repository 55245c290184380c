using Broker.Background;

namespace Broker.Auth;

/// <summary>Writes when keys were last used: with every request in memory, every few seconds in the database.</summary>
internal sealed class KeyUseWriter(ApiKeyCache ring, TimeProvider clock, ILogger<KeyUseWriter> log) : FlushingService(TimeSpan.FromSeconds(10), clock, log)
{
    protected override async Task<int> FlushAsync(CancellationToken ct)
    {
        await ring.FlushUseAsync(ct);
        return 0;
    }
}
