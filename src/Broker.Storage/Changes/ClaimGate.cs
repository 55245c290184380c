using Broker.Core.Runs;
using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Broker.Storage.Stores;

namespace Broker.Storage.Changes;

/// <summary>
/// Idle claims, waiting in order of arrival, grouped by what they may have. A step that becomes ready wakes one of them, not all; two
/// thousand idle claims of one kind cost one look at the database a second.
/// </summary>
internal sealed class ClaimGate(QueueRegistry queues, ClaimScopes scopes, TimeProvider clock) : IClaimGate
{
    private readonly Lock turns = new();
    private readonly Dictionary<string, Group> groups = new(StringComparer.Ordinal);
    private int version = -1;

    /// <summary>Claims that wait now.</summary>
    public int Waiting
    {
        get
        {
            lock (turns) return groups.Values.Sum(g => g.Waiting.Count);
        }
    }

    public async Task<IClaimTurn> EnterAsync(ClaimRequest claim, CancellationToken ct)
    {
        var (key, list) = await scopes.QueuesOfAsync(claim, ct);
        lock (turns)
        {
            if (!groups.TryGetValue(key, out var group)) groups[key] = group = new Group(key, claim, Ids(list));
            var turn = new Turn(this, group);
            turn.Place = group.Waiting.AddLast(turn);
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
            foreach (var group in groups.Values)
            {
                if (group.Queues.Contains(queueId) && WakeFirst(group)) return;
            }
        }
    }

    /// <summary>The net below lost signals: one claim of each kind looks, and on success the next.</summary>
    public async Task PollAsync(CancellationToken ct)
    {
        await RenewGroupsAsync(ct);
        lock (turns)
        {
            foreach (var group in groups.Values) WakeFirst(group);
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
            var ids = Ids((await scopes.QueuesOfAsync(group.Claim, ct)).Queues);
            lock (turns) group.Queues = ids;
        }
    }

    // The woken claim stays in line, at the end: whatever becomes ready while it looks finds somebody to tell.
    private static bool WakeFirst(Group group)
    {
        for (var place = group.Waiting.First; place is not null; place = place.Next)
        {
            if (place.Value.Signalled) continue;
            group.Waiting.Remove(place);
            group.Waiting.AddLast(place);
            place.Value.Wake();
            return true;
        }

        return false;
    }

    private static HashSet<int> Ids(IReadOnlyList<QueueRow> list) => [.. list.Select(q => q.Id)];

    private void Leave(Turn turn)
    {
        lock (turns)
        {
            turn.Group.Waiting.Remove(turn.Place!);
            if (turn.Group.Waiting.Count == 0) groups.Remove(turn.Group.Key);

            // Woken and not served: somebody else should look.
            else if (turn.Owes) WakeFirst(turn.Group);
        }
    }

    private sealed class Group(string key, ClaimRequest claim, HashSet<int> queues)
    {
        public string Key => key;

        public ClaimRequest Claim => claim;

        public HashSet<int> Queues { get; set; } = queues;

        public LinkedList<Turn> Waiting { get; } = [];
    }

    private sealed class Turn(ClaimGate gate, Group group) : IClaimTurn
    {
        private readonly SemaphoreSlim signal = new(0, 1);
        private bool served;
        private bool woken;

        public Group Group => group;

        public LinkedListNode<Turn>? Place { get; set; }

        public bool Signalled { get; private set; }

        public bool Owes => Signalled || (woken && !served);

        public void Wake()
        {
            Signalled = true;
            signal.Release();
        }

        public async Task WaitAsync(TimeSpan timeout, CancellationToken ct)
        {
            using var timer = new CancellationTokenSource(timeout, gate.Clock);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, ct);
            try
            {
                await signal.WaitAsync(both.Token);
                lock (gate.turns) (Signalled, woken) = (false, true);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                // The time is up: the caller looks a last time.
            }
        }

        public void Served() => served = true;

        public void Dispose()
        {
            gate.Leave(this);
            signal.Dispose();
        }
    }

    private TimeProvider Clock => clock;
}
