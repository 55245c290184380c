using Broker.Background;

namespace Broker.Auth;

/// <summary>Writes when keys were last used: with every request in memory, every few seconds in the database.</summary>
internal sealed class KeyUseWriter(ApiKeyCache keys, TimeProvider clock, ILogger<KeyUseWriter> log) : FlushingService(TimeSpan.FromSeconds(10), clock, log)
{
    protected override async Task<int> FlushAsync(CancellationToken ct)
    {
        await keys.FlushUseAsync(ct);
        return 0;
    }
}
