using Broker.Core.Steps;
using Broker.Storage.Dispatch;
using Broker.Storage.Tables;

namespace Broker.Storage.Postgres.Caching;

/// <summary>A run, the version (xmin) of its row, and the commit that makes it visible.</summary>
internal readonly record struct CachedRun(LoadedRun Run, uint Version, CommitFlag Commit);

/// <summary>Cached runs and steps that one transaction decides from.</summary>
/// <param name="Runs">In order of id, as they are locked.</param>
/// <param name="Steps">Steps that hold a lease.</param>
/// <param name="Now">The database's clock, as far as it is known.</param>
internal sealed record CachedRuns(IReadOnlyList<CachedRun> Runs, IReadOnlyDictionary<StepKey, StepState> Steps, long Now)
{
    // As it was before the transaction began: what is committed later it may not see.
    private readonly bool[] wasCommitted = [.. Runs.Select(r => r.Commit.IsCommitted)];

    /// <summary>
    /// Whether the statement that writes these runs can compare their versions: it writes all of them, in this order, and can see them.
    /// A commit of another loop under way would look like a change.
    /// </summary>
    public bool CanVerifyInWrite(List<RunChange> written)
    {
        if (written.Count != Runs.Count) return false;
        for (var i = 0; i < written.Count; i++)
        {
            if (written[i].State.Id != Runs[i].Run.Ref.Id || !wasCommitted[i]) return false;
        }

        return true;
    }

    public Loaded Loaded => new([.. Runs.Select(r => r.Run)], Steps.ToLookup(s => s.Key.RunId, s => s.Value), Instants.FromMicros(Now));
}
