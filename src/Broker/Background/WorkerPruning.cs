using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>Removes labelled workers that have been silent for long: they take a new id at every start, so the list would only grow.</summary>
internal sealed class WorkerPruning(IWorkerStore workers, BrokerSettings settings, TimeProvider clock, ILogger<WorkerPruning> log)
    : PruningService(clock, log)
{
    protected override Task<int> PruneAsync(int most, CancellationToken ct) => workers.PruneAsync(Clock.GetUtcNow() - settings.WorkerRemoved, most, ct);
}
