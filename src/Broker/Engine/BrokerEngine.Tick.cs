namespace Broker.Engine;

internal sealed partial class BrokerEngine
{
    /// <summary>Rows in one round of a tick, at most: rounds are transactions.</summary>
    public const int MaxTick = 1000;

    /// <summary>
    /// One round of the scheduler now instead of at its next turn: due sleeps and waits first, then expired leases. Each row advances one
    /// instance by one step, so neither limit can be passed.
    /// </summary>
    /// <returns>How many were advanced.</returns>
    public async Task<int> TickAsync(int maxInstances, int maxSteps, CancellationToken ct)
    {
        if (maxInstances <= 0 || maxSteps <= 0) return 0;
        var limit = Math.Min(maxInstances, MaxTick);
        var advanced = await runs.FinishDueAsync(limit, ct);
        return advanced < limit ? advanced + await runs.ExpireLeasesAsync(limit - advanced, ct) : advanced;
    }
}
