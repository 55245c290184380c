using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>Removes definitions that workers made and that neither a worker nor a run needs any more.</summary>
internal sealed class DefinitionPruning(IDefinitionExpiry definitions, BrokerSettings settings, TimeProvider clock, ILogger<DefinitionPruning> log)
    : PeriodicService(TimeSpan.FromMinutes(15), clock, log)
{
    internal override Task<int> RunOnceAsync(CancellationToken ct) =>
        settings.DefinitionRetention > TimeSpan.Zero ? definitions.RemoveAsync(settings.DefinitionRetention, ct) : Task.FromResult(0);
}
