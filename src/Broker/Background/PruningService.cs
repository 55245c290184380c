namespace Broker.Background;

/// <summary>Removes entries beyond their age once a minute, in bounded batches, until none is left.</summary>
internal abstract class PruningService(TimeProvider clock, ILogger log) : PeriodicService(TimeSpan.FromMinutes(1), clock, log)
{
    private const int Batch = 1_000;

    protected TimeProvider Clock { get; } = clock;

    /// <summary>Removes up to <paramref name="most"/>; returns how many.</summary>
    protected abstract Task<int> PruneAsync(int most, CancellationToken ct);

    internal sealed override Task<int> RunOnceAsync(CancellationToken ct) => DrainAsync(Batch, PruneAsync, ct);
}
