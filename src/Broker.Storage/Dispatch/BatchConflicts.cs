using Broker.Core.Runs;
using Broker.Storage.Dispatch.Commands;

namespace Broker.Storage.Dispatch;

/// <summary>
/// Commands that may not share a transaction. A restart, a retry, a purge and the start of a further run change the run that an instance's name stands for. Another
/// command on the name was resolved before, and would get the verdict of the former run. A claim that is sent again gets the leases of the first one,
/// once they are committed.
/// </summary>
internal static class BatchConflicts
{
    /// <summary>Takes out the commands that have to wait for the next transaction, in order; null when there are none.</summary>
    public static List<StoreCommand>? TakeLater(List<StoreCommand> together)
    {
        if (together.Count < 2 || !(together.Exists(Moves) || HasRepeatedClaims(together))) return null;
        HashSet<(string Workflow, string InstanceId)> named = [], moved = [];
        HashSet<(string Worker, string Id)> claims = [];
        var later = together.Where(command =>
        {
            if (ClaimOf(command) is { } claim && !claims.Add(claim)) return true;
            var (moves, names) = (Moves(command), NamesOf(command).ToList());
            if (names.Exists(moved.Contains) || (moves && names.Exists(named.Contains))) return true;
            named.UnionWith(names);
            if (moves) moved.UnionWith(names);
            return false;
        }).ToList();
        if (later.Count == 0) return null;
        together.RemoveAll(later.Contains);
        return later;
    }

    private static bool HasRepeatedClaims(List<StoreCommand> together)
    {
        HashSet<(string Worker, string Id)>? claims = null;
        return together.Exists(command => ClaimOf(command) is { } claim && !(claims ??= []).Add(claim));
    }

    private static (string Worker, string Id)? ClaimOf(StoreCommand command) => command is ClaimCommand { Request: { ClaimId: { } id } request } ? (request.WorkerId, id) : null;

    private static bool Moves(StoreCommand command) => command switch
    {
        ControlRunCommand control => control.Command is ControlCommand.Restart or ControlCommand.Purge,
        StartCommand start => start.Starts.Any(s => s.Mode is not StartMode.NewInstance),
        RerunCommand rerun => rerun.IsRetry,
        _ => false,
    };

    private static IEnumerable<(string Workflow, string InstanceId)> NamesOf(StoreCommand command) => command switch
    {
        StartCommand start => start.Starts.Select(s => (s.Definition.Name, s.InstanceId)),
        IRunCommand { Name: { } name } => [(name.Workflow, name.InstanceId)],
        _ => [],
    };
}
