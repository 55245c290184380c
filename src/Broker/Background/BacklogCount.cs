using Broker.Engine;

namespace Broker.Background;

/// <summary>Counts runs that wait for workers, where their number is limited.</summary>
internal sealed class BacklogCount(BacklogGate gate, TimeProvider clock, ILogger<BacklogCount> log) : PeriodicService(TimeSpan.FromSeconds(1), clock, log)
{
    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await gate.CountAsync(ct);
        return 0;
    }
}
