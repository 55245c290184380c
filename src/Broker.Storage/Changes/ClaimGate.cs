using Broker.Core.Runs;
using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Broker.Storage.Stores;

namespace Broker.Storage.Changes;

/// <summary>
/// Idle claims, waiting in order of arrival, grouped by what they may have. A step that becomes ready wakes one of them, not all. While
/// nothing becomes ready nobody looks but the poll: claims that come anew every few seconds cost the database nothing. Measured with 2,000
/// of them, three looks for each had been over a hundred transactions a second.
/// </summary>
internal sealed class ClaimGate(QueueRegistry queues, ClaimScopes scopes, TimeProvider clock) : IClaimGate
{
    private readonly Lock turns = new();
    private readonly Dictionary<string, Group> groups = new(StringComparer.Ordinal);
    private int version = -1;
    private volatile int count;

    /// <summary>Claims that wait now.</summary>
    public int Waiting
    {
        get
        {
            lock (turns) return groups.Values.Sum(g => g.Waiting.Count);
        }
    }

    public async ValueTask<bool> IsQuietAsync(ClaimRequest claim, CancellationToken ct)
    {
        if (count == 0) return false;
        var (key, list) = await scopes.QueuesOfAsync(claim, ct);
        lock (turns) return groups.TryGetValue(key, out var group) && ReferenceEquals(group.List, list) && group.IsQuiet;
    }

    public async Task<IClaimTurn> EnterAsync(ClaimRequest claim, CancellationToken ct)
    {
        var (key, list) = await scopes.QueuesOfAsync(claim, ct);
        lock (turns)
        {
            if (!groups.TryGetValue(key, out var group)) groups[key] = group = new Group(key, claim, list);
            group.Offer(list);
            var turn = new Turn(this, group);
            turn.Place = group.Waiting.AddLast(turn);
            count++;
            return turn;
        }
    }

    /// <summary>A step became claimable now, or will be at an instant to come.</summary>
    public void Ready(ReadyHint hint)
    {
        var wait = Instants.FromMicros(hint.Due) - clock.GetUtcNow();
        if (wait > TimeSpan.FromMilliseconds(1))
        {
            if (wait < TimeSpan.FromHours(1)) _ = WakeLaterAsync(hint.QueueId, wait);
            return;
        }

        Wake(hint.QueueId);
    }

    // Brings a retry to a waiting claim at its due time; after a restart the poll finds it instead.
    private async Task WakeLaterAsync(int queueId, TimeSpan wait)
    {
        lock (turns)
        {
            if (groups.Count == 0) return;
        }

        await Task.Delay(wait + TimeSpan.FromMilliseconds(1), clock);
        Wake(queueId);
    }

    private void Wake(int queueId)
    {
        lock (turns)
        {
            var told = false;
            foreach (var group in groups.Values)
            {
                if (!group.Queues.Contains(queueId)) continue;
                group.Stir();
                told = told || WakeFirst(group);
            }
        }
    }

    /// <summary>The net below lost signals: one claim of each kind looks, and if it finds something the next.</summary>
    public async Task PollAsync(CancellationToken ct)
    {
        await RenewGroupsAsync(ct);
        lock (turns)
        {
            foreach (var group in groups.Values) WakeFirst(group, polled: true);
        }
    }

    // New queues may serve claims that are waiting already.
    private async Task RenewGroupsAsync(CancellationToken ct)
    {
        await queues.RefreshAsync(ct);
        if (version == queues.Version) return;
        version = queues.Version;
        List<Group> all;
        lock (turns) all = [.. groups.Values];
        foreach (var group in all)
        {
            var list = (await scopes.QueuesOfAsync(group.Claim, ct)).Queues;
            lock (turns) group.Offer(list);
        }
    }

    // The woken claim stays in line, at the end: whatever becomes ready while it looks finds somebody to tell.
    private static bool WakeFirst(Group group, bool polled = false)
    {
        for (var place = group.Waiting.First; place is not null; place = place.Next)
        {
            if (place.Value.Signalled) continue;
            group.Waiting.Remove(place);
            group.Waiting.AddLast(place);
            place.Value.Wake(polled);
            return true;
        }

        return false;
    }

    private void Leave(Turn turn)
    {
        lock (turns)
        {
            turn.Group.Waiting.Remove(turn.Place!);
            count--;
            if (turn.Group.Waiting.Count == 0) groups.Remove(turn.Group.Key);

            // Woken and not served: somebody else should look.
            else if (turn.Owes) WakeFirst(turn.Group);
        }
    }

    private sealed class Group(string key, ClaimRequest claim, IReadOnlyList<QueueRow> list)
    {
        public string Key => key;

        public ClaimRequest Claim => claim;

        public IReadOnlyList<QueueRow> List { get; private set; } = list;

        public HashSet<int> Queues { get; private set; } = Ids(list);

        public LinkedList<Turn> Waiting { get; } = [];

        /// <summary>How often something has become ready.</summary>
        public long Stirred { get; private set; }

        /// <summary>Somebody has looked in vain since.</summary>
        public bool IsQuiet { get; set; }

        public void Stir()
        {
            Stirred++;
            IsQuiet = false;
        }

        /// <summary>The registry keeps one list for equal claims, so another one has other queues.</summary>
        public void Offer(IReadOnlyList<QueueRow> current)
        {
            if (ReferenceEquals(List, current)) return;
            (List, Queues) = (current, Ids(current));
            Stir();
        }

        private static HashSet<int> Ids(IReadOnlyList<QueueRow> list) => [.. list.Select(q => q.Id)];
    }

    private sealed class Turn(ClaimGate gate, Group group) : IClaimTurn
    {
        private readonly SemaphoreSlim signal = new(0, 1);
        private long lookedAt;
        private bool polled;
        private bool served;
        private bool woken;

        public Group Group => group;

        public LinkedListNode<Turn>? Place { get; set; }

        public bool Signalled { get; private set; }

        public bool Owes => Signalled || (woken && !served);

        public void Wake(bool byPoll)
        {
            (Signalled, polled) = (true, byPoll);
            signal.Release();
        }

        public bool BeginsLook()
        {
            lock (gate.turns)
            {
                lookedAt = group.Stirred;
                return woken || !group.IsQuiet;
            }
        }

        public void FoundNothing()
        {
            lock (gate.turns)
            {
                woken = false;
                if (lookedAt == group.Stirred) group.IsQuiet = true;
            }
        }

        public void Served()
        {
            lock (gate.turns)
            {
                served = true;
                if (!polled) return;

                // What the poll has found was not told, so there may be more.
                group.Stir();
                WakeFirst(group, polled: true);
            }
        }

        public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken ct)
        {
            using var timer = new CancellationTokenSource(timeout, gate.Clock);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, ct);
            try
            {
                await signal.WaitAsync(both.Token);
                lock (gate.turns) (Signalled, woken) = (false, true);
                return true;
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return false;
            }
        }

        public void Dispose()
        {
            gate.Leave(this);
            signal.Dispose();
        }
    }

    private TimeProvider Clock => clock;
}
