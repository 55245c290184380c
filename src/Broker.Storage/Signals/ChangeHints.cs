using Broker.Storage.Contracts;

namespace Broker.Storage.Signals;

/// <summary>
/// Hints for watchers of lists, gathered for 250 ms before they go to other brokers. A broker with watchers says so every 5 s: the others note changes for
/// 15 s after that, so that unwatched brokers note none.
/// </summary>
internal sealed class ChangeHints : IChangeHints, IDisposable
{
    /// <summary>Begin of these topics among the signals.</summary>
    public const char Mark = 'h';

    // The signal that says that its broker has watchers.
    private const string Watching = "?";

    // Topics about single workflows and runs in one sending: a notification of PostgreSQL has room for 8,000 bytes.
    private const int MostFine = 12;

    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Saying = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Remembering = TimeSpan.FromSeconds(15);

    private readonly SignalHub hub;
    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private readonly HashSet<Subscription> subscriptions = [];
    private readonly HashSet<string> pending = new(StringComparer.Ordinal);
    private readonly ITimer sending;
    private readonly ITimer saying;
    private volatile bool isWatched;
    private long heardAt;
    private bool isSending;
    private bool isElsewhere;

    public ChangeHints(SignalHub hub, TimeProvider clock)
    {
        (this.hub, this.clock) = (hub, clock);
        sending = clock.CreateTimer(_ => Send(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        saying = clock.CreateTimer(_ => Say(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        hub.Hinted += Receive;
    }

    public bool IsWatched => isWatched;

    public void Note(string topic)
    {
        if (!isWatched) return;
        lock (gate)
        {
            pending.Add(topic);
            if (isSending) return;
            isSending = true;
            sending.Change(Gathering, Timeout.InfiniteTimeSpan);
        }
    }

    public IHintSubscription Watch(IReadOnlyCollection<string> topics)
    {
        var subscription = new Subscription(this, topics);
        lock (gate) subscriptions.Add(subscription);
        Say();
        return subscription;
    }

    public void Dispose()
    {
        hub.Hinted -= Receive;
        sending.Dispose();
        saying.Dispose();
    }

    private void Send()
    {
        List<string> topics;
        lock (gate)
        {
            isSending = false;
            topics = [.. pending];
            pending.Clear();
            isElsewhere = isElsewhere && clock.GetElapsedTime(heardAt) < Remembering;
            isWatched = subscriptions.Count > 0 || isElsewhere;
        }

        if (topics.Count(topic => topic.Contains(':', StringComparison.Ordinal)) > MostFine) topics = [IChangeHints.All];
        foreach (var topic in topics) hub.Signal(Mark + topic);
    }

    private void Say()
    {
        lock (gate)
        {
            if (subscriptions.Count == 0) return;
            isWatched = true;
            saying.Change(Saying, Timeout.InfiniteTimeSpan);
        }

        hub.Signal(Mark + Watching);
    }

    private void Receive(string topic)
    {
        Subscription[] all;
        lock (gate)
        {
            if (topic == Watching)
            {
                // Its own signal too: that ends 15 s after the last watcher has gone.
                (heardAt, isElsewhere, isWatched) = (clock.GetTimestamp(), true, true);
                return;
            }

            all = [.. subscriptions];
        }

        foreach (var subscription in all) subscription.Add(topic);
    }

    private sealed class Subscription(ChangeHints hints, IReadOnlyCollection<string> topics) : IHintSubscription
    {
        private readonly HashSet<string> topics = topics.ToHashSet(StringComparer.Ordinal);
        private readonly Dictionary<string, int> changed = new(StringComparer.Ordinal);
        private readonly SemaphoreSlim signalled = new(0, 1);
        private readonly Lock own = new();
        private bool isGone;

        public void Add(string topic)
        {
            lock (own)
            {
                if (isGone || (topic != IChangeHints.All && !topics.Contains(topic))) return;
                foreach (var one in topic == IChangeHints.All ? [.. topics] : (string[])[topic]) changed[one] = changed.GetValueOrDefault(one) + 1;
                if (signalled.CurrentCount == 0) signalled.Release();
            }
        }

        public async Task<IReadOnlyDictionary<string, int>> NextAsync(TimeSpan timeout, CancellationToken ct)
        {
            using var timer = new CancellationTokenSource(timeout, hints.clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, ct);
            try
            {
                await signalled.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return new Dictionary<string, int>();
            }

            lock (own)
            {
                var found = new Dictionary<string, int>(changed, StringComparer.Ordinal);
                changed.Clear();
                return found;
            }
        }

        public void Dispose()
        {
            lock (hints.gate) hints.subscriptions.Remove(this);
            lock (own)
            {
                isGone = true;
                signalled.Dispose();
            }
        }
    }
}
