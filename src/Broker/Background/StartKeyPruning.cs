using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>Deletes idempotency keys whose retention has passed.</summary>
internal sealed class StartKeyPruning(IStartKeyStore keys, BrokerSettings settings, TimeProvider clock, ILogger<StartKeyPruning> log)
    : PruningService(clock, log)
{
    protected override Task<int> PruneAsync(int most, CancellationToken ct) => keys.ForgetAsync(settings.IdempotencyRetention, most, ct);
}
