using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Lanes;

/// <summary>
/// Claims of one transaction that were sent before: their leases are renewed, not granted anew. The worker learns of them only now, so they
/// begin now.
/// </summary>
internal sealed class RepeatedClaims
{
    private readonly List<ClaimWork> claims;
    private readonly IReadOnlyList<HeldLease> granted;

    private RepeatedClaims(List<ClaimWork> claims, IReadOnlyList<HeldLease> granted) => (this.claims, this.granted) = (claims, granted);

    public List<HeartbeatWork> Renewals { get; } = [];

    /// <summary>The first exchange of the transaction; null, and none, where no claim has an id.</summary>
    public static RepeatedClaims? Find(IUnit unit, List<Work> works)
    {
        List<ClaimWork>? named = null;
        foreach (var work in works)
        {
            if (work is ClaimWork { Fences: not null } claim) (named ??= []).Add(claim);
        }

        return named is null ? null : new(named, unit.Granted(named));
    }

    /// <summary>Once the transaction has decided on its reports: a lease that one of them ends is none of its claim's any more.</summary>
    public void Mark(Dictionary<long, RunSession> sessions)
    {
        foreach (var (step, fence, worker) in granted)
        {
            if (sessions.GetValueOrDefault(step.RunId)?.Find(step.Index) is { } state && !(state.Status is StepStatus.Leased && state.Fence == fence)) continue;
            claims.First(claim => claim.Request.WorkerId == worker && claim.Fences!.Contains(fence!.Value)).IsRepeated = true;
            Renewals.Add(new HeartbeatWork(LeaseId.Create(step.RunId, step.Index, fence!.Value)));
        }
    }
}
