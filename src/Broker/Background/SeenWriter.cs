using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>Writes signs of life, all of a second in one statement.</summary>
internal sealed class SeenWriter(IWorkerStore workers, TimeProvider clock, ILogger<SeenWriter> log) : FlushingService(TimeSpan.FromSeconds(1), clock, log)
{
    protected override async Task<int> FlushAsync(CancellationToken ct)
    {
        await workers.FlushAsync(ct);
        return 0;
    }
}
