using Broker.Engine;
using Broker.Settings;
using Broker.Storage.Stores;

namespace Broker.Background;

/// <summary>Counts what waits for workers, where that is limited.</summary>
internal sealed class BacklogCount(BacklogGate gate, TimeProvider clock, ILogger<BacklogCount> log) : PeriodicService(TimeSpan.FromSeconds(1), clock, log)
{
    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await gate.CountAsync(ct);
        return 0;
    }
}

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
