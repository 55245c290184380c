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
