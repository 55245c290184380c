using Broker.Auth;
using Broker.Background;
using Broker.Storage.Contracts;

namespace Broker.Audit;

/// <summary>Removes entries that are older than the retention time.</summary>
internal sealed class AuditPruning(IAuditStore store, AuthSettings settings, TimeProvider clock, ILogger<AuditPruning> log) : PruningService(clock, log)
{
    protected override Task<int> PruneAsync(int most, CancellationToken ct) =>
        settings.AuditRetention > TimeSpan.Zero ? store.PruneAsync(Clock.GetUtcNow() - settings.AuditRetention, most, ct) : Task.FromResult(0);
}
