using Broker.Engine;

namespace Broker.Background;

/// <summary>Counts what waits for workers, where that is limited.</summary>
internal sealed class BacklogCount(BacklogGate gate, TimeProvider clock, ILogger<BacklogCount> log) : PeriodicService(TimeSpan.FromSeconds(1), clock, log)
{
    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await gate.CountAsync(ct);
        return 0;
    }
}
