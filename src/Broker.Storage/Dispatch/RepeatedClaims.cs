using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>
/// Claims of one transaction that were sent before: their leases are renewed, not granted anew. The worker learns of them only now, so they
/// begin now.
/// </summary>
internal sealed class RepeatedClaims
{
    private readonly List<ClaimCommand> claims;
    private readonly IReadOnlyList<LeaseRef> granted;

    private RepeatedClaims(List<ClaimCommand> claims, IReadOnlyList<LeaseRef> granted) => (this.claims, this.granted) = (claims, granted);

    public List<HeartbeatCommand> Renewals { get; } = [];

    /// <summary>The first exchange of the transaction; null, and none, where no claim has an id.</summary>
    public static RepeatedClaims? Find(IBatchTransaction transaction, List<StoreCommand> commands)
    {
        List<ClaimCommand>? named = null;
        foreach (var command in commands)
        {
            if (command is ClaimCommand { Fences: not null } claim) (named ??= []).Add(claim);
        }

        return named is null ? null : new(named, transaction.Granted(named));
    }

    /// <summary>Once the transaction has decided on its reports: a lease that one of them ends is none of its claim's any more.</summary>
    public void Mark(Dictionary<long, RunSession> sessions)
    {
        foreach (var (step, fence, worker) in granted)
        {
            if (sessions.GetValueOrDefault(step.RunId)?.Find(step.Index) is { } state && !(state.Status is StepStatus.Leased && state.Fence == fence)) continue;
            claims.First(claim => claim.Request.WorkerId == worker && claim.Fences!.Contains(fence!.Value)).IsRepeated = true;
            Renewals.Add(new HeartbeatCommand(LeaseId.Create(step.RunId, step.Index, fence!.Value)));
        }
    }
}
