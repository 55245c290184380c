namespace Broker.Storage.Contracts;

/// <summary>Signals that a topic may have changed: a hint, after which the waiter reads the database.</summary>
public interface IChanges
{
    /// <summary>Completes when a change of that topic is signalled, on this broker or another, after this call.</summary>
    /// <remarks>Subscribe, then look, then wait: nothing is missed. A lost signal of another broker is made up for within seconds.</remarks>
    IChangeSubscription Subscribe(string topic);

    /// <summary>Wakes the subscribers of a topic, on other brokers too.</summary>
    void Signal(string topic);
}

/// <summary>Waits for the next change of its topic; dispose it.</summary>
public interface IChangeSubscription : IDisposable
{
    /// <summary>
    /// False once the database has another history than at the subscription: ids and positions may stand for something else. Waiters are woken then.
    /// </summary>
    bool IsCurrent { get; }

    /// <summary>True when signalled since the last wait; false after the time-out. Throws only on cancellation.</summary>
    Task<bool> WaitAsync(TimeSpan timeout, CancellationToken ct);
}
