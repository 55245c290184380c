namespace Broker.Worker;

internal enum StopReason
{
    Lost,
    Cancelled,
    Shutdown,

    /// <summary>The attempt has reached its limit.</summary>
    TimedOut,
}

/// <summary>Handle of a job in progress, for the parts that may stop it. The first reason counts.</summary>
internal sealed class JobControl : IDisposable
{
    // Timers take no more; the broker ends an attempt with a longer limit by itself.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    private readonly Lock gate = new();
    private readonly CancellationTokenSource stop = new();
    private readonly ITimer? limit;
    private bool disposed;

    /// <summary>The limit counts from here on, which is after the broker's grant: its own limit has passed when the report comes.</summary>
    public JobControl(Claim claim)
    {
        Claim = claim;
        if (claim.Lease.Limit is { } time && time < LongestTimer)
            limit = TimeProvider.System.CreateTimer(_ => Stop(StopReason.TimedOut), null, time, Timeout.InfiniteTimeSpan);
    }

    public Claim Claim { get; }
    public StopReason? Reason { get; private set; }
    public CancellationToken Stopped => stop.Token;

    public bool Stop(StopReason reason)
    {
        lock (gate)
        {
            if (Reason is not null || disposed) return false;
            Reason = reason;
        }

        stop.Cancel();
        return true;
    }

    public void Dispose()
    {
        lock (gate) disposed = true;
        limit?.Dispose();
        stop.Dispose();
    }
}
