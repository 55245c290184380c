using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Signals;

namespace Broker.Storage.Matching;

/// <summary>
/// Claims in line, in order of arrival, grouped by the steps that they may have. A step that becomes ready wakes one of them. While no step becomes
/// ready only the poll looks. Measured with 2,000 claims that come anew every few seconds: three looks for each were over 100 transactions a second.
/// </summary>
internal sealed class WaitingClaims : IWaitingClaims, IClaimSource
{
    private readonly QueueCatalog queues;
    private readonly ClaimScopes scopes;
    private readonly LimitedClaimCursors cursors;
    private readonly DueWatch due;
    private readonly Dictionary<string, WaitingClaimGroup> groups = new(StringComparer.Ordinal);
    private int version = -1;
    private volatile int count;

    public WaitingClaims(QueueCatalog queues, ClaimScopes scopes, LimitedClaimCursors cursors, DueWatch due, SignalHub signals, TimeProvider clock)
    {
        (this.queues, this.scopes, this.cursors, this.due, Clock) = (queues, scopes, cursors, due, clock);
        due.StepDue += Wake;
        signals.StepReady += Ready;
    }

    public int Waiting
    {
        get
        {
            lock (Gate) return groups.Values.Sum(g => g.Waiting.Count);
        }
    }

    /// <summary>Guards the line.</summary>
    public Lock Gate { get; } = new();

    public TimeProvider Clock { get; }

    /// <summary>Whether a waiting claim of the same kind has found nothing, and no step has become ready since: a look would find nothing either.</summary>
    public bool IsQuiet(ClaimQueues claim)
    {
        if (count == 0) return false;
        lock (Gate) return groups.TryGetValue(claim.Kind, out var group) && ReferenceEquals(group.Queues.List, claim.List) && group.IsQuiet;
    }

    /// <summary>Joins the line; dispose to leave it.</summary>
    public WaitingClaim Enter(ClaimRequest request, ClaimQueues claim, CancellationToken left)
    {
        lock (Gate)
        {
            if (!groups.TryGetValue(claim.Kind, out var group)) groups[claim.Kind] = group = new WaitingClaimGroup(request, claim);
            group.Renew(claim);
            var waiting = new WaitingClaim(this, group, request, left);
            waiting.Place = group.Waiting.AddLast(waiting);
            count++;
            return waiting;
        }
    }

    /// <summary>Called by <see cref="WaitingClaim.Dispose"/>.</summary>
    public void Leave(WaitingClaim waiting)
    {
        lock (Gate)
        {
            var group = waiting.Group;
            group.Waiting.Remove(waiting.Place!);
            count--;
            if (group.Waiting.Count == 0) groups.Remove(group.Queues.Kind);
            if (waiting.MustPassOn) WakeInstead(group);
        }
    }

    /// <summary>Whether claims of that kind wait.</summary>
    public bool IsWaitedFor(string kind)
    {
        if (count == 0) return false;
        lock (Gate) return groups.ContainsKey(kind);
    }

    /// <summary>Looks ahead for steps that fall due in the queues of a group.</summary>
    public void WatchDue(WaitingClaimGroup group) => due.Watch(group.QueueIds);

    /// <summary>One claim for each ready step. Claims with an id are only woken: steps that were granted under the same id have to be looked up first.</summary>
    public void AddForReadySteps(IReadOnlyList<int> queueIds, int most, List<StoreCommand> commands)
    {
        if (count == 0) return;
        var room = commands.Count + most;
        lock (Gate)
        {
            foreach (var queueId in queueIds)
            {
                if (commands.Count >= room) break;
                if (NextFor(queueId)?.Offer() is { } command) commands.Add(command);
            }
        }
    }

    // Only its own look shows whether a limited claim may have the step.
    private WaitingClaim? NextFor(int queueId)
    {
        foreach (var group in groups.Values)
        {
            if (!group.IsLimited && group.Has(queueId) && group.NextForStep() is { } next) return next;
        }

        return null;
    }

    // A step became claimable now, or will be at an instant to come.
    private void Ready(int queueId, long from)
    {
        cursors.Lower(queueId, from);
        if (due.IsDue(queueId, from)) Wake(queueId);
    }

    private void Wake(int queueId)
    {
        lock (Gate)
        {
            var isWoken = false;
            foreach (var group in groups.Values)
            {
                if (!group.Has(queueId)) continue;
                group.MarkReady();

                // A limited claim may not be able to take the step: it looks beside the one that is.
                if (group.IsLimited) group.WakeFirst();
                else isWoken = isWoken || group.WakeFirst();
            }
        }
    }

    public async Task PollAsync(CancellationToken ct)
    {
        await RenewGroupsAsync(ct);
        lock (Gate)
        {
            foreach (var group in groups.Values) group.WakeFirst(byPoll: true);
        }
    }

    // New queues may serve claims that wait already.
    private async Task RenewGroupsAsync(CancellationToken ct)
    {
        await queues.RefreshAsync(ct);
        if (version == queues.Version) return;
        version = queues.Version;
        List<WaitingClaimGroup> all;
        lock (Gate) all = [.. groups.Values];
        foreach (var group in all)
        {
            var current = await scopes.QueuesOfAsync(group.Claim, ct);
            lock (Gate) group.Renew(current);
        }
    }

    // For a claim that was woken and not served: one of its own kind, or one of each kind that may share steps with it.
    private void WakeInstead(WaitingClaimGroup left)
    {
        if (left.WakeFirst()) return;
        foreach (var group in groups.Values)
        {
            if (!group.Overlaps(left)) continue;
            group.MarkReady();
            group.WakeFirst();
        }
    }
}
