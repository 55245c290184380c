using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Matching;

/// <summary>Waiting claims of one kind, in order of arrival. All members are called under the lock of <see cref="WaitingClaims"/>.</summary>
internal sealed class WaitingClaimGroup(ClaimRequest claim, ClaimQueues queues)
{
    private HashSet<int> ids = IdsOf(queues.List);

    /// <summary>The queues, as last resolved.</summary>
    public ClaimQueues Queues { get; private set; } = queues;

    /// <summary>One of the claims: by it the queues are resolved anew.</summary>
    public ClaimRequest Claim => claim;

    /// <summary>Limited to workflows: only a look shows whether these claims may have a step that is ready.</summary>
    public bool IsLimited => claim.Workflows is not null;

    public IReadOnlyCollection<int> QueueIds => ids;

    public LinkedList<WaitingClaim> Waiting { get; } = [];

    /// <summary>Grows with each step that becomes ready.</summary>
    public long ReadyVersion { get; private set; }

    /// <summary>A look since the last step became ready has found nothing.</summary>
    public bool IsQuiet { get; set; }

    public bool Has(int queueId) => ids.Contains(queueId);

    public bool Overlaps(WaitingClaimGroup other) => ids.Overlaps(other.ids);

    public void MarkReady()
    {
        ReadyVersion++;
        IsQuiet = false;
    }

    /// <summary>The catalogue keeps one list for equal claims, so another list has other queues.</summary>
    public void Renew(ClaimQueues current)
    {
        if (ReferenceEquals(Queues.List, current.List)) return;
        (Queues, ids) = (current, IdsOf(current.List));
        MarkReady();
    }

    /// <summary>Wakes the first claim that is not signalled yet. It stays in line, at the end: a step that becomes ready during its look finds a claim to signal.</summary>
    public bool WakeFirst(bool byPoll = false)
    {
        for (var place = Waiting.First; place is not null; place = place.Next)
        {
            if (place.Value.Signalled) continue;
            MoveToEnd(place);
            place.Value.Wake(byPoll);
            return true;
        }

        return false;
    }

    /// <summary>The first claim that can take a step within a transaction under way, moved to the end.</summary>
    public WaitingClaim? NextForStep()
    {
        for (var place = Waiting.First; place is not null; place = place.Next)
        {
            if (!place.Value.CanTakeStep) continue;
            MoveToEnd(place);
            return place.Value;
        }

        return null;
    }

    private void MoveToEnd(LinkedListNode<WaitingClaim> place)
    {
        Waiting.Remove(place);
        Waiting.AddLast(place);
    }

    private static HashSet<int> IdsOf(IReadOnlyList<QueueRow> list) => [.. list.Select(q => q.Id)];
}
