using System.Collections.Concurrent;
using Broker.Storage.Contracts;
using Broker.Storage.Health;

namespace Broker.Storage.Signals;

/// <summary>
/// Subscriptions of this broker by topic. Every write of this broker signals after its commit, so where no other broker shares the database no waiter
/// looks without a signal. Signals of other brokers may be lost: <see cref="ITopicVersions"/> finds those changes, with one look for all topics.
/// </summary>
internal sealed class SignalHub(StoreEpoch epoch, TimeProvider clock) : IChanges
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<Subscription, byte>> topics = new(StringComparer.Ordinal);

    // As last looked up; a topic's first look wakes its waiters too, since a signal may have been lost before it.
    private Dictionary<string, string> versions = new(StringComparer.Ordinal);

    /// <summary>A step of that queue can be claimed from that instant on: signalled by this broker or another one.</summary>
    public event Action<int, long>? StepReady;

    /// <summary>A hint for watchers of lists, of this broker or another one.</summary>
    public event Action<string>? Hinted;

    /// <summary>A signal of this broker, for others.</summary>
    public event Action<string>? Signalled;

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
        Receive(topic);
        Signalled?.Invoke(topic);
    }

    /// <summary>A step of that queue can be claimed from that instant on.</summary>
    public void Ready(int queueId, long due)
    {
        ReceiveReady(queueId, due);
        Signalled?.Invoke($"q{queueId}:{due}");
    }

    /// <summary>Jobs got log lines: wakes their readers, once each.</summary>
    public void SignalLogs(IEnumerable<(string Workflow, string Step)> jobs)
    {
        foreach (var (workflow, step) in jobs.Distinct()) Signal(Topics.Log(workflow, step));
    }

    /// <summary><see cref="Ready"/> of this broker or another one.</summary>
    public void ReceiveReady(int queueId, long due) => StepReady?.Invoke(queueId, due);

    /// <summary>A signal from this broker or another one.</summary>
    public void Receive(string topic)
    {
        if (topic.StartsWith(ChangeHints.Mark))
        {
            Hinted?.Invoke(topic[1..]);
            return;
        }

        if (!topics.TryGetValue(topic, out var listeners)) return;
        foreach (var (subscription, _) in listeners) subscription.Wake();
    }

    /// <summary>Signals may have been lost: wakes the subscribers of topics that have changed since the last call.</summary>
    public async Task LookAsync(ITopicVersions store, CancellationToken ct)
    {
        var watched = topics.Keys.ToList();
        var found = watched.Count > 0 ? await store.VersionsAsync(watched, ct) : [];
        foreach (var topic in watched)
        {
            if (!versions.TryGetValue(topic, out var before) || before != found.GetValueOrDefault(topic, "")) Receive(topic);
        }

        versions = watched.ToDictionary(topic => topic, topic => found.GetValueOrDefault(topic, ""), StringComparer.Ordinal);
    }

    /// <summary>The database has another history: all look again.</summary>
    public void WakeAll()
    {
        foreach (var topic in topics.Keys) Receive(topic);
    }

    private void Leave(Subscription subscription, string topic)
    {
        if (!topics.TryGetValue(topic, out var listeners)) return;
        listeners.TryRemove(subscription, out _);
        if (!listeners.IsEmpty) return;
        topics.TryRemove(new(topic, listeners));

        // A subscription that came between the two lines above is put back by its own check in Subscribe, or by this one.
        foreach (var (late, _) in listeners) topics.GetOrAdd(topic, _ => new())[late] = 0;
    }

    private sealed class Subscription(SignalHub hub, string topic) : IChangeSubscription
    {
        private readonly SemaphoreSlim signalled = new(0, 1);
        private readonly int seen = hub.Epoch.Number;
        private int woken;

        public bool IsCurrent => hub.Epoch.Number == seen;

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
            using var timer = new CancellationTokenSource(timeout, hub.Clock);
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

    private StoreEpoch Epoch => epoch;
}
