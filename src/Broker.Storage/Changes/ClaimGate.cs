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
internal sealed class ClaimGate : IClaimGate
{
    private readonly QueueRegistry queues;
    private readonly ClaimScopes scopes;
    private readonly Prefetch prefetch;
    private readonly ClaimCursors cursors;
    private readonly DueWatch due;
    private readonly TimeProvider clock;
    private readonly Lock turns = new();
    private readonly Dictionary<string, Group> groups = new(StringComparer.Ordinal);
    private int version = -1;
    private volatile int count;

    public ClaimGate(QueueRegistry queues, ClaimScopes scopes, Prefetch prefetch, ClaimCursors cursors, DueWatch due, TimeProvider clock)
    {
        (this.queues, this.scopes, this.prefetch, this.cursors, this.due, this.clock) = (queues, scopes, prefetch, cursors, due, clock);
        due.OnDue = Wake;
    }

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
        // A claim that was sent again or made ahead has to look: it may have been served already.
        if (count == 0 || claim.ClaimId is not null || prefetch.IsHoldingFor(claim.WorkerId)) return false;
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
            var turn = new Turn(this, group, claim, ct);
            turn.Place = group.Waiting.AddLast(turn);
            count++;
            return turn;
        }
    }

    /// <summary>A step became claimable now, or will be at an instant to come.</summary>
    public void Ready(int queueId, long from)
    {
        cursors.Lower(queueId, from);
        if (due.IsDue(queueId, from)) Wake(queueId);
    }

    /// <summary>
    /// Waiting claims for steps that a transaction makes ready: one for each step, whose queue is told, and at most so many. Claims with
    /// an id are only woken: what another request with the same id was given has to be looked up first.
    /// </summary>
    public List<ClaimWork> Recruit(IReadOnlyList<int> queueIds, int most)
    {
        var recruits = new List<ClaimWork>();
        if (count == 0) return recruits;
        lock (turns)
        {
            foreach (var queueId in queueIds)
            {
                if (recruits.Count >= most) break;
                if (Offer(queueId) is { } work) recruits.Add(work);
            }
        }

        return recruits;
    }

    /// <summary>Whether claims of that kind are waiting.</summary>
    public bool IsWaitedFor(string kind)
    {
        if (count == 0) return false;
        lock (turns) return groups.ContainsKey(kind);
    }

    private ClaimWork? Offer(int queueId)
    {
        foreach (var group in groups.Values)
        {
            // Whether a limited claim may have the step is found out by its own look.
            if (group.IsLimited || !group.Queues.Contains(queueId)) continue;
            for (var place = group.Waiting.First; place is not null; place = place.Next)
            {
                if (!place.Value.CanBeRecruited) continue;
                group.Waiting.Remove(place);
                group.Waiting.AddLast(place);
                return place.Value.Offer();
            }
        }

        return null;
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

                // A limited claim may not be able to take the step: it looks beside the one that is.
                if (group.IsLimited) WakeFirst(group);
                else told = told || WakeFirst(group);
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
            if (turn.Owes) WakeInstead(turn.Group);
        }
    }

    // For a claim that was woken and not served: one of its own kind, else one of each kind that may have some of the same.
    private void WakeInstead(Group left)
    {
        if (WakeFirst(left)) return;
        foreach (var group in groups.Values)
        {
            if (!group.Queues.Overlaps(left.Queues)) continue;
            group.Stir();
            WakeFirst(group);
        }
    }

    private sealed class Group(string key, ClaimRequest claim, IReadOnlyList<QueueRow> list)
    {
        public string Key => key;

        public ClaimRequest Claim => claim;

        public IReadOnlyList<QueueRow> List { get; private set; } = list;

        /// <summary>To workflows: of a step that is ready here it is not known whether these claims may have it.</summary>
        public bool IsLimited => claim.Workflows is not null;

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

    private sealed class Turn(ClaimGate gate, Group group, ClaimRequest claim, CancellationToken left) : IClaimTurn
    {
        private readonly SemaphoreSlim signal = new(0, 1);
        private ClaimWork? offer;
        private bool parked;
        private bool recruited;
        private long lookedAt;
        private bool polled;
        private bool served;
        private bool woken;

        public Group Group => group;

        public LinkedListNode<Turn>? Place { get; set; }

        /// <summary>Only while it waits: one that looks for itself would be given two answers.</summary>
        public bool CanBeRecruited => parked && !Signalled && claim.ClaimId is null;

        public bool Signalled { get; private set; }

        public bool Owes => Signalled || (woken && !served);

        public void Wake(bool byPoll)
        {
            (Signalled, polled) = (true, byPoll);
            signal.Release();
        }

        /// <summary>Takes part in a transaction that is at work: its look begins now.</summary>
        public ClaimWork Offer()
        {
            offer = new ClaimWork(claim, group.List) { Cancelled = left };
            (recruited, lookedAt) = (true, group.Stirred);
            Wake(byPoll: false);
            return offer;
        }

        public Task<IReadOnlyList<Assignment>>? TakeOffer()
        {
            lock (gate.turns)
            {
                if (offer is not { } work) return null;
                offer = null;
                return work.Done;
            }
        }

        public bool BeginsLook()
        {
            lock (gate.turns)
            {
                if (offer is null) lookedAt = group.Stirred;
                return woken || !group.IsQuiet;
            }
        }

        public void FoundNothing()
        {
            gate.due.Watch(group.Queues);
            lock (gate.turns)
            {
                woken = false;
                if (lookedAt == group.Stirred) group.IsQuiet = true;

                // What became ready since its transaction did not find it waiting, and perhaps nobody else.
                else if (recruited && !Signalled) Wake(byPoll: false);
                recruited = false;
            }
        }

        public void Served()
        {
            gate.due.Watch(group.Queues);
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
            lock (gate.turns) parked = true;
            try
            {
                await signal.WaitAsync(both.Token);
                lock (gate.turns) (parked, Signalled, woken) = (false, false, true);
                return true;
            }
            catch (OperationCanceledException) when (IsRecruitedAtLast())
            {
                return true;
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return false;
            }
        }

        // At the last moment: it may be part of a commit already.
        private bool IsRecruitedAtLast()
        {
            lock (gate.turns)
            {
                parked = false;
                if (offer is null) return false;
                signal.Wait(0);
                (Signalled, woken) = (false, true);
                return true;
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
