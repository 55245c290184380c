using System.Collections.Concurrent;
using Broker.Storage.Lanes;

namespace Broker.Storage.Changes;

/// <summary>
/// Who waits for what on this broker. Signals are hints: every waiter looks at the database after one, and looks again after its
/// time-out without one, so a lost signal costs time and nothing else.
/// </summary>
internal sealed class ChangeHub(TimeProvider clock) : IChanges
{
    /// <summary>Without a signal from another broker a waiter looks again after this long.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<Subscription, byte>> topics = new(StringComparer.Ordinal);

    /// <summary>Steps became claimable: set by the claim gate.</summary>
    public Action<ReadyHint>? OnReady { get; set; }

    /// <summary>Passes topics on to other brokers: set where there may be some.</summary>
    public Action<string>? Outbox { get; set; }

    public IChangeSubscription Subscribe(string topic)
    {
        var subscription = new Subscription(this, topic);
        while (true)
        {
            var listeners = topics.GetOrAdd(topic, _ => new());
            listeners[subscription] = 0;

            // The last listener may have taken the set away in between.
            if (topics.TryGetValue(topic, out var current) && ReferenceEquals(current, listeners)) return subscription;
        }
    }

    public void Signal(string topic)
    {
        Heard(topic);
        Outbox?.Invoke(topic);
    }

    public void Ready(ReadyHint hint)
    {
        OnReady?.Invoke(hint);
        Outbox?.Invoke($"q{hint.QueueId}:{hint.Due}");
    }

    /// <summary>A signal from this broker or another one.</summary>
    public void Heard(string topic)
    {
        if (!topics.TryGetValue(topic, out var listeners)) return;
        foreach (var (subscription, _) in listeners) subscription.Wake();
    }

    /// <summary>Signals may have been missed: everybody looks.</summary>
    public void HeardAll()
    {
        foreach (var (topic, _) in topics) Heard(topic);
    }

    private void Leave(Subscription subscription, string topic)
    {
        if (!topics.TryGetValue(topic, out var listeners)) return;
        listeners.TryRemove(subscription, out _);
        if (!listeners.IsEmpty) return;
        topics.TryRemove(new(topic, listeners));

        // Somebody may have joined between the two lines above: they are put back by their own check in Subscribe, or by this one.
        foreach (var (late, _) in listeners) topics.GetOrAdd(topic, _ => new())[late] = 0;
    }

    private sealed class Subscription(ChangeHub hub, string topic) : IChangeSubscription
    {
        private readonly SemaphoreSlim signalled = new(0, 1);
        private int woken;

        public void Wake()
        {
            if (Interlocked.Exchange(ref woken, 1) != 0) return;
            try
            {
                signalled.Release();
            }
            catch (ObjectDisposedException)
            {
                // The waiter has left in the meantime.
            }
        }

        public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken ct)
        {
            // Other brokers' signals can be lost, so nobody sleeps longer than the poll interval at a time.
            var bounded = timeout < PollInterval ? timeout : PollInterval;
            using var timer = new CancellationTokenSource(bounded, hub.Clock);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, ct);
            try
            {
                await signalled.WaitAsync(both.Token);
                Interlocked.Exchange(ref woken, 0);
                return true;
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return false;
            }
        }

        public void Dispose()
        {
            hub.Leave(this, topic);
            signalled.Dispose();
        }
    }

    private TimeProvider Clock => clock;
}
