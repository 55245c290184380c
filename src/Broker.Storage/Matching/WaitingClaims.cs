using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Matching;

/// <summary>
/// Idle claims, waiting in order of arrival, grouped by what they may have. A step that becomes ready wakes one of them, not all. While
/// nothing becomes ready nobody looks but the poll: claims that come anew every few seconds cost the database nothing. Measured with 2,000
/// of them, three looks for each had been over a hundred transactions a second.
/// </summary>
internal sealed class WaitingClaims : IWaitingClaims
{
    private readonly QueueCatalog queues;
    private readonly ClaimScopes scopes;
    private readonly EagerDispatch eager;
    private readonly LimitedClaimCursors cursors;
    private readonly DueWatch due;
    private readonly TimeProvider clock;
    private readonly Lock turns = new();
    private readonly Dictionary<string, Group> groups = new(StringComparer.Ordinal);
    private int version = -1;
    private volatile int count;

    public WaitingClaims(QueueCatalog queues, ClaimScopes scopes, EagerDispatch eager, LimitedClaimCursors cursors, DueWatch due, TimeProvider clock)
    {
        (this.queues, this.scopes, this.eager, this.cursors, this.due, this.clock) = (queues, scopes, eager, cursors, due, clock);
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
        if (count == 0 || claim.ClaimId is not null || eager.IsHoldingFor(claim.WorkerId)) return false;
        var (key, list) = await scopes.QueuesOfAsync(claim, ct);
        lock (turns) return groups.TryGetValue(key, out var group) && ReferenceEquals(group.List, list) && group.IsQuiet;
    }

    public async Task<IWaitingClaim> EnterAsync(ClaimRequest claim, CancellationToken ct)
    {
        var (key, list) = await scopes.QueuesOfAsync(claim, ct);
        lock (turns)
        {
            if (!groups.TryGetValue(key, out var group)) groups[key] = group = new Group(key, claim, list);
            group.Offer(list);
            var turn = new WaitingClaim(this, group, claim, ct);
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
    public List<ClaimCommand> TakeForReadySteps(IReadOnlyList<int> queueIds, int most)
    {
        var taken = new List<ClaimCommand>();
        if (count == 0) return taken;
        lock (turns)
        {
            foreach (var queueId in queueIds)
            {
                if (taken.Count >= most) break;
                if (Offer(queueId) is { } command) taken.Add(command);
            }
        }

        return taken;
    }

    /// <summary>Whether claims of that kind are waiting.</summary>
    public bool IsWaitedFor(string kind)
    {
        if (count == 0) return false;
        lock (turns) return groups.ContainsKey(kind);
    }

    private ClaimCommand? Offer(int queueId)
    {
        foreach (var group in groups.Values)
        {
            // Whether a limited claim may have the step is found out by its own look.
            if (group.IsLimited || !group.Queues.Contains(queueId)) continue;
            for (var place = group.Waiting.First; place is not null; place = place.Next)
            {
                if (!place.Value.CanTakeStep) continue;
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
                group.MarkReady();

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

    private void Leave(WaitingClaim turn)
    {
        lock (turns)
        {
            turn.Group.Waiting.Remove(turn.Place!);
            count--;
            if (turn.Group.Waiting.Count == 0) groups.Remove(turn.Group.Key);
            if (turn.MustPassOn) WakeInstead(turn.Group);
        }
    }

    // For a claim that was woken and not served: one of its own kind, else one of each kind that may have some of the same.
    private void WakeInstead(Group left)
    {
        if (WakeFirst(left)) return;
        foreach (var group in groups.Values)
        {
            if (!group.Queues.Overlaps(left.Queues)) continue;
            group.MarkReady();
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

        public LinkedList<WaitingClaim> Waiting { get; } = [];

        /// <summary>How often something has become ready.</summary>
        public long ReadyVersion { get; private set; }

        /// <summary>Somebody has looked in vain since.</summary>
        public bool IsQuiet { get; set; }

        public void MarkReady()
        {
            ReadyVersion++;
            IsQuiet = false;
        }

        /// <summary>The registry keeps one list for equal claims, so another one has other queues.</summary>
        public void Offer(IReadOnlyList<QueueRow> current)
        {
            if (ReferenceEquals(List, current)) return;
            (List, Queues) = (current, Ids(current));
            MarkReady();
        }

        private static HashSet<int> Ids(IReadOnlyList<QueueRow> list) => [.. list.Select(q => q.Id)];
    }

    private sealed class WaitingClaim(WaitingClaims gate, Group group, ClaimRequest claim, CancellationToken left) : IWaitingClaim
    {
        private readonly SemaphoreSlim signal = new(0, 1);
        private ClaimCommand? offer;
        private bool parked;
        private bool offered;
        private long lookedAt;
        private bool polled;
        private bool served;
        private bool woken;

        public Group Group => group;

        public LinkedListNode<WaitingClaim>? Place { get; set; }

        /// <summary>Only while it waits: one that looks for itself would be given two answers.</summary>
        public bool CanTakeStep => parked && !Signalled && claim.ClaimId is null;

        public bool Signalled { get; private set; }

        public bool MustPassOn => Signalled || (woken && !served);

        public void Wake(bool byPoll)
        {
            (Signalled, polled) = (true, byPoll);
            signal.Release();
        }

        /// <summary>Takes part in a transaction that is at work: its look begins now.</summary>
        public ClaimCommand Offer()
        {
            offer = new ClaimCommand(claim, group.List) { Cancelled = left };
            (offered, lookedAt) = (true, group.ReadyVersion);
            Wake(byPoll: false);
            return offer;
        }

        public Task<IReadOnlyList<Assignment>>? TakeOffer()
        {
            lock (gate.turns)
            {
                if (offer is not { } command) return null;
                offer = null;
                return command.Done;
            }
        }

        public bool BeginsLook()
        {
            lock (gate.turns)
            {
                if (offer is null) lookedAt = group.ReadyVersion;
                return woken || !group.IsQuiet;
            }
        }

        public void FoundNothing()
        {
            gate.due.Watch(group.Queues);
            lock (gate.turns)
            {
                woken = false;
                if (lookedAt == group.ReadyVersion) group.IsQuiet = true;

                // What became ready since its transaction did not find it waiting, and perhaps nobody else.
                else if (offered && !Signalled) Wake(byPoll: false);
                offered = false;
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
                group.MarkReady();
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
            catch (OperationCanceledException) when (HasOfferAtLast())
            {
                return true;
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return false;
            }
        }

        // At the last moment: it may be part of a commit already.
        private bool HasOfferAtLast()
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
