namespace Broker.Sdk;

/// <summary>A time limit beside the caller's token.</summary>
internal sealed class TimeLimit : IDisposable
{
    private readonly CancellationToken caller;
    private readonly CancellationTokenSource limit;
    private readonly CancellationTokenSource either;

    public TimeLimit(TimeSpan length, TimeProvider clock, CancellationToken caller)
    {
        this.caller = caller;
        limit = new(length, clock);
        either = CancellationTokenSource.CreateLinkedTokenSource(caller, limit.Token);
    }

    /// <summary>Cancelled when the time is over, or by the caller.</summary>
    public CancellationToken Token => either.Token;

    /// <summary>The time is over, and the caller has not given up.</summary>
    public bool HasPassed => limit.IsCancellationRequested && !caller.IsCancellationRequested;

    public void Dispose()
    {
        either.Dispose();
        limit.Dispose();
    }
}
