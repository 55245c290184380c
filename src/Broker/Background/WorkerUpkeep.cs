using Broker.Settings;
using Broker.Storage;
using Broker.Storage.Changes;
using Broker.Storage.Stores;

namespace Broker.Background;

/// <summary>Writes signs of life, all of a second in one statement.</summary>
internal sealed class SeenWriter(WorkerStore workers, TimeProvider clock, ILogger<SeenWriter> log) : PeriodicService(TimeSpan.FromSeconds(1), clock, log)
{
    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await workers.FlushAsync(ct);
        return 0;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await workers.FlushAsync(cancellationToken);
    }
}

/// <summary>Removes labelled workers that have been silent for long: they take a new id at every start, so the list would only grow.</summary>
internal sealed class WorkerPruning(IWorkerStore workers, BrokerSettings settings, TimeProvider clock, ILogger<WorkerPruning> log)
    : PeriodicService(TimeSpan.FromMinutes(1), clock, log)
{
    private readonly TimeProvider clock = clock;

    internal override Task<int> RunOnceAsync(CancellationToken ct) => workers.PruneAsync(clock.GetUtcNow() - settings.WorkerRemoved, 500, ct);
}

/// <summary>
/// The net below lost signals: lets one idle claim of each kind look. Every second, for where this host's clock is wrong and misses the
/// instant at which a retry is due, and twice a second while brokers do not hear each other, so that a step is handed over within one
/// second there too.
/// </summary>
internal sealed class ClaimPolling(ClaimGate gate, IPeerLink link, TimeProvider clock, ILogger<ClaimPolling> log)
    : PeriodicService(TimeSpan.FromMilliseconds(500), clock, log)
{
    private bool isOdd;

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        isOdd = !isOdd;
        if (isOdd || link.IsDeaf) await gate.PollAsync(ct);
        return 0;
    }
}

/// <summary>Keeps the link to other brokers up.</summary>
internal sealed class PeerLinkService(IPeerLink link) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => link.RunAsync(stoppingToken);
}
