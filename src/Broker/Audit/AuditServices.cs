using Broker.Auth;
using Broker.Background;
using Broker.Storage;

namespace Broker.Audit;

/// <summary>Writes what was noted, all of a second in one transaction, and the rest when the host stops.</summary>
internal sealed class AuditWriter(AuditTrail trail, TimeProvider clock, ILogger<AuditWriter> log) : PeriodicService(TimeSpan.FromSeconds(1), clock, log)
{
    internal override Task<int> RunOnceAsync(CancellationToken ct) => trail.FlushAsync(ct);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await trail.FlushAsync(cancellationToken);
    }
}

/// <summary>Removes entries that are older than the retention time, in bounded batches.</summary>
internal sealed class AuditPruning(IAuditStore store, AuthSettings settings, TimeProvider clock, ILogger<AuditPruning> log)
    : PeriodicService(TimeSpan.FromMinutes(1), clock, log)
{
    private const int Batch = 1_000;
    private readonly TimeProvider clock = clock;

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        if (settings.AuditRetention <= TimeSpan.Zero) return 0;
        var (all, some) = (0, 0);
        do
        {
            some = await store.PruneAsync(clock.GetUtcNow() - settings.AuditRetention, Batch, ct);
            all += some;
        }
        while (some == Batch);
        return all;
    }
}
