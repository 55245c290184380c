using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Dispatch.Commands;

namespace Broker.Storage.Matching;

/// <summary>One claim in line.</summary>
/// <param name="line">The line.</param>
/// <param name="group">Claims of its kind.</param>
/// <param name="claim">The worker's claim.</param>
/// <param name="left">The client has disconnected.</param>
internal sealed class WaitingClaim(WaitingClaims line, WaitingClaimGroup group, ClaimRequest claim, CancellationToken left) : IDisposable
{
    private readonly SemaphoreSlim signal = new(0, 1);
    private ClaimCommand? offer;
    private bool parked;
    private bool offered;
    private long lookedAt;
    private bool polled;
    private bool served;
    private bool woken;

    public WaitingClaimGroup Group => group;

    /// <summary>Queues for the next look.</summary>
    public ClaimQueues Queues => group.Queues;

    public LinkedListNode<WaitingClaim>? Place { get; set; }

    /// <summary>Only while it waits: a claim that looks for itself would be given two answers. One with an id has to look: it may have been granted steps before.</summary>
    public bool CanTakeStep => parked && !Signalled && claim.ClaimId is null;

    public bool Signalled { get; private set; }

    /// <summary>It was woken and not served: another claim must be woken in its place.</summary>
    public bool MustPassOn => Signalled || (woken && !served);

    /// <summary>Under the line's lock.</summary>
    public void Wake(bool byPoll)
    {
        (Signalled, polled) = (true, byPoll);
        signal.Release();
    }

    /// <summary>Takes part in a transaction under way: its look begins now. Under the line's lock.</summary>
    public ClaimCommand Offer()
    {
        offer = new ClaimCommand(claim, group.Queues.List) { Cancelled = left };
        (offered, lookedAt) = (true, group.ReadyVersion);
        Wake(byPoll: false);
        return offer;
    }

    /// <summary>The answer of the transaction that made a step ready for it; null: it has to look. Once.</summary>
    public Task<IReadOnlyList<Assignment>>? TakeOffer()
    {
        lock (line.Gate)
        {
            if (offer is not { } command) return null;
            offer = null;
            return command.Done;
        }
    }

    /// <summary>Begins a look, if it may find something.</summary>
    public bool BeginsLook()
    {
        lock (line.Gate)
        {
            if (offer is null) lookedAt = group.ReadyVersion;
            return woken || !group.IsQuiet;
        }
    }

    /// <summary>The look found nothing: until a step becomes ready other claims of this kind skip theirs.</summary>
    public void FoundNothing()
    {
        line.WatchDue(group);
        lock (line.Gate)
        {
            woken = false;
            if (lookedAt == group.ReadyVersion) group.IsQuiet = true;

            // A step that became ready since its transaction did not find it waiting, and perhaps no other claim either.
            else if (offered && !Signalled) Wake(byPoll: false);
            offered = false;
        }
    }

    /// <summary>The claim got steps.</summary>
    public void Served()
    {
        line.WatchDue(group);
        lock (line.Gate)
        {
            served = true;
            if (!polled) return;

            // A poll has found a step whose signal was lost: there may be more.
            group.MarkReady();
            group.WakeFirst(byPoll: true);
        }
    }

    /// <summary>Returns true when another look is worth it, false when the time is up.</summary>
    public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(timeout, line.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, ct);
        lock (line.Gate) parked = true;
        try
        {
            await signal.WaitAsync(both.Token);
            lock (line.Gate) (parked, Signalled, woken) = (false, false, true);
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
        lock (line.Gate)
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
        line.Leave(this);
        signal.Dispose();
    }
}
