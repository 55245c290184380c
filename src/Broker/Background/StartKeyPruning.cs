using Broker.Settings;
using Broker.Storage.Stores;

namespace Broker.Background;

/// <summary>Forgets starts that nobody sends again any more.</summary>
internal sealed class StartKeyPruning(IStartKeyStore keys, BrokerSettings settings, TimeProvider clock, ILogger<StartKeyPruning> log)
    : PeriodicService(TimeSpan.FromMinutes(1), clock, log)
{
    private const int Batch = 1000;

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var (all, some) = (0, 0);
        do
        {
            some = await keys.ForgetAsync(settings.IdempotencyRetention, Batch, ct);
            all += some;
        }
        while (some == Batch);
        return all;
    }
}
