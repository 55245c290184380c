using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>Finishes sleeps that have passed and waits that have met their deadline. Retries need none: they are a due time.</summary>
internal sealed class DueTimers(IRunStore runs, BrokerSettings settings, TimeProvider clock, ILogger<DueTimers> log)
    : PeriodicService(settings.TimerInterval, clock, log)
{
    private const int Batch = 500;

    internal override Task<int> RunOnceAsync(CancellationToken ct) => DrainAsync(Batch, runs.FinishDueAsync, ct);
}
