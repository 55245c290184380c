using Broker.Auth;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Engine;

internal sealed partial class BrokerEngine
{
    // A claim by registration is limited by what the worker could register.
    private static ClaimRequest Limited(ClaimRequest claim) =>
        claim.Scope is ClaimScope.ByLabels && Caller.Current.Limit is { } limit ? claim with { Workflows = limit } : claim;

    // Whether a lease is of a workflow that the present caller may know; null: it may know all. Unlimited callers cost no look-up.
    private async ValueTask<Func<LeaseId, bool>?> KnownLeasesAsync(IEnumerable<LeaseId> leases, CancellationToken ct)
    {
        if (Caller.Current is not { Workflows: not null } limited) return null;
        var known = await KnownRunsAsync(limited, [.. leases.Select(lease => lease.RunId).Distinct()], ct);
        return lease => known.Contains(lease.RunId);
    }

    private async Task<HashSet<long>> KnownRunsAsync(Caller limited, IReadOnlyList<long> runs, CancellationToken ct) =>
        runs.Count == 0 ? [] : [.. (await leases.WorkflowsOfAsync(runs, ct)).Where(run => limited.Knows(run.Value)).Select(run => run.Key)];

    // An entry that the present caller may not know is judged like one that does not exist.
    private static IReadOnlyList<TVerdict> ForAll<T, TVerdict>(IReadOnlyList<T> all, Func<T, bool> isKnown, IReadOnlyList<TVerdict> ofKnown, TVerdict unknown)
    {
        if (ofKnown.Count == all.Count) return ofKnown;
        var next = 0;
        return [.. all.Select(t => isKnown(t) ? ofKnown[next++] : unknown)];
    }
}
