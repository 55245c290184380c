using Broker.Core.Runs;

namespace Broker.Storage.Lanes;

/// <summary>
/// Which callers may not share a transaction. A restart, a purge and the start of a further run change what an instance's name stands
/// for; whoever names the same instance was looked up before that, and would be answered for the run that is gone. A claim that is sent
/// again is answered with what the first one got, once that is committed.
/// </summary>
internal static class Apart
{
    /// <summary>Takes those out that have to wait for the next transaction, in order; null when there are none.</summary>
    public static List<Work>? TakeLater(List<Work> together)
    {
        if (together.Count < 2 || !(together.Exists(Moves) || HasRepeatedClaims(together))) return null;
        HashSet<(string Workflow, string InstanceId)> named = [], moved = [];
        HashSet<(string Worker, string Id)> claims = [];
        var later = together.Where(work =>
        {
            if (ClaimOf(work) is { } claim && !claims.Add(claim)) return true;
            var (moves, names) = (Moves(work), NamesOf(work).ToList());
            if (names.Exists(moved.Contains) || (moves && names.Exists(named.Contains))) return true;
            named.UnionWith(names);
            if (moves) moved.UnionWith(names);
            return false;
        }).ToList();
        if (later.Count == 0) return null;
        together.RemoveAll(later.Contains);
        return later;
    }

    private static bool HasRepeatedClaims(List<Work> together)
    {
        HashSet<(string Worker, string Id)>? claims = null;
        return together.Exists(work => ClaimOf(work) is { } claim && !(claims ??= []).Add(claim));
    }

    private static (string Worker, string Id)? ClaimOf(Work work) => work is ClaimWork { Request: { ClaimId: { } id } request } ? (request.WorkerId, id) : null;

    private static bool Moves(Work work) => work switch
    {
        ControlWork control => control.Command is ControlCommand.Restart or ControlCommand.Purge,
        StartWork start => start.Starts.Any(s => s.Mode is not StartMode.NewInstance),
        _ => false,
    };

    private static IEnumerable<(string Workflow, string InstanceId)> NamesOf(Work work) => work switch
    {
        StartWork start => start.Starts.Select(s => (s.Definition.Name, s.InstanceId)),
        IRunWork { Name: { } name } => [(name.Workflow, name.InstanceId)],
        _ => [],
    };
}
