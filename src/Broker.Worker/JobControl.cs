namespace Broker.Worker;

internal enum StopReason
{
    Lost,
    Cancelled,
    Shutdown,
}

/// <summary>Handle of a job in progress, for those who may have to stop it. The first reason counts.</summary>
internal sealed class JobControl(Claim claim) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private bool _disposed;

    public Claim Claim { get; } = claim;
    public StopReason? Reason { get; private set; }
    public CancellationToken Stopped => _stop.Token;

    public bool Stop(StopReason reason)
    {
        lock (_gate)
        {
            if (Reason is not null || _disposed)
                return false;
            Reason = reason;
        }

        _stop.Cancel();
        return true;
    }

    public void Dispose()
    {
        lock (_gate)
            _disposed = true;
        _stop.Dispose();
    }
}
