namespace Broker.Worker;

internal enum StopReason
{
    Lost,
    Cancelled,
    Shutdown,
}

/// <summary>Handle of a job in progress, for the parts that may stop it. The first reason counts.</summary>
internal sealed class JobControl(Claim claim) : IDisposable
{
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stop = new();
    private bool disposed;

    public Claim Claim { get; } = claim;
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
        stop.Dispose();
    }
}
