using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>A periodic service whose next round begins at once when its topic is signalled.</summary>
internal abstract class SignalledService(string topic, TimeSpan interval, IChanges changes, TimeProvider clock, ILogger log) : PeriodicService(interval, clock, log)
{
    private readonly IChangeSubscription subscription = changes.Subscribe(topic);

    protected override async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken ct)
    {
        try
        {
            await subscription.WaitAsync(BetweenRounds, ct);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        subscription.Dispose();
        GC.SuppressFinalize(this);
    }
}
