using Broker.Settings;
using Broker.Storage;

namespace Broker.Background;

/// <summary>Removes labelled workers that have been silent for long: they take a new id at every start, so the list would only grow.</summary>
internal sealed class WorkerPruning(IWorkerStore workers, BrokerSettings settings, TimeProvider clock, ILogger<WorkerPruning> log)
    : PeriodicService(TimeSpan.FromMinutes(1), clock, log)
{
    private readonly TimeProvider clock = clock;

    internal override Task<int> RunOnceAsync(CancellationToken ct) => workers.PruneAsync(clock.GetUtcNow() - settings.WorkerRemoved, 500, ct);
}
