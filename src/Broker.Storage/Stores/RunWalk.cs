using Broker.Core.Runs;
using Broker.Storage.Contracts;

namespace Broker.Storage.Stores;

/// <summary>Reads the runs that a merge finds, page by page.</summary>
internal sealed class RunWalk(RunMerge merge, Func<long[], CancellationToken, Task<List<RunView>>> read) : IRunWalk
{
    public async Task<IReadOnlyList<RunView>> NextAsync(int most, CancellationToken ct)
    {
        while (true)
        {
            var ids = await merge.NextAsync(most, ct);
            if (ids.Count == 0) return [];

            // Those that were removed meanwhile are left out.
            var found = (await read([.. ids], ct)).ToDictionary(run => run.Ref.Id);
            if (found.Count > 0) return [.. ids.Where(found.ContainsKey).Select(id => found[id])];
        }
    }
}

/// <summary>There is nothing to walk.</summary>
internal sealed class EmptyWalk : IRunWalk
{
    public Task<IReadOnlyList<RunView>> NextAsync(int most, CancellationToken ct) => Task.FromResult<IReadOnlyList<RunView>>([]);
}
