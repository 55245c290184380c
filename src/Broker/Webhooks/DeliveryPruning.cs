using Broker.Background;
using Broker.Storage.Contracts;

namespace Broker.Webhooks;

/// <summary>Removes deliveries a week after they were queued.</summary>
internal sealed class DeliveryPruning(IDeliveryStore deliveries, TimeProvider clock, ILogger<DeliveryPruning> log) : PruningService(clock, log)
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    protected override Task<int> PruneAsync(int most, CancellationToken ct) => deliveries.PruneAsync(Clock.GetUtcNow() - Kept, most, ct);
}
