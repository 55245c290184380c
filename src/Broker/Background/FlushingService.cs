namespace Broker.Background;

/// <summary>Writes entries gathered in memory, every <paramref name="interval"/>, and the rest when the host stops.</summary>
internal abstract class FlushingService(TimeSpan interval, TimeProvider clock, ILogger log) : PeriodicService(interval, clock, log)
{
    /// <summary>Returns how much it wrote, as far as that is worth a line in the log.</summary>
    protected abstract Task<int> FlushAsync(CancellationToken ct);

    internal sealed override Task<int> RunOnceAsync(CancellationToken ct) => FlushAsync(ct);

    public sealed override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (Opened.IsCompletedSuccessfully) await FlushAsync(cancellationToken);
    }
}
