using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>Removes log lines that belong to no run by their age: no run takes them along when it goes.</summary>
internal sealed class StrayLinePruning(ILogStore logs, BrokerSettings settings, TimeProvider clock, ILogger<StrayLinePruning> log)
    : PruningService(clock, log)
{
    protected override Task<int> PruneAsync(int most, CancellationToken ct) =>
        settings.Retention > TimeSpan.Zero ? logs.PruneStrayAsync(settings.Retention, most, ct) : Task.FromResult(0);
}
