using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>
/// Searches runs along an index that fits the filter. There are indexes of steps under way, instances, runs of a workflow by creation, or all runs by id. Each walk
/// examines its share of the bound. Runs beyond the shortest walk are left to the next page.
/// </summary>
internal sealed class RunSearch(IDatabase database, DefinitionCache definitions, IPageReads pages) : IRunSearch
{
    private const string TagLock = "run tags";

    private static readonly RunList Nothing = new([], null, null, default);

    public async Task<RunList> ListAsync(RunListRequest request, CancellationToken ct)
    {
        var now = await database.NowAsync(ct);
        if (RunConditions.Of(request.Filter, now) is not { } conditions) return Nothing with { Now = now };
        var (rows, next, searchedTo) = await pages.RunAsync(
            async db =>
            {
                // One moment for both reads: a run that was found by its status has it still.
                await using var snapshot = await HistorySnapshot.BeginAsync(db, ct);
                var (found, end, reached) = await FindAsync(db, request, conditions, IRunSearch.Examined, ct);
                return (await WholeAsync(db, found, now, ct), end, reached);
            },
            ct);
        return new(await ListedAsync(rows, ct), next, searchedTo, now);
    }

    public async Task<CappedCount> CountAsync(RunFilter filter, int max, CancellationToken ct)
    {
        var (found, next, searchedTo, now) = await FindAsync(filter, max, ct);
        return new(found.Count, next is not null && searchedTo is null, searchedTo, now);
    }

    public async Task<(IReadOnlyList<long> Runs, bool IsAll, DateTimeOffset Now)> IdsAsync(RunFilter filter, int most, CancellationToken ct)
    {
        var (found, next, _, now) = await FindAsync(filter, most, ct);
        return (found.ConvertAll(run => run.Id), next is null, now);
    }

    public async Task<ChosenRuns> ChooseAsync(RunFilter filter, RunListPlace? after, int most, CancellationToken ct)
    {
        var now = await database.NowAsync(ct);
        if (RunConditions.Of(filter, now, isWhole: true) is not { } conditions) return new([], null, null, now);
        var request = new RunListRequest(filter, after, OldestFirst: false, most);
        var (found, next, searchedTo) = await pages.RunAsync(db => FindAsync(db, request, conditions, IRunSearch.Counted, ct), ct);
        return new(await ChosenAsync(found, ct), next, searchedTo, now);
    }

    public async Task<IReadOnlyList<ChosenRun>> FitAsync(RunFilter filter, IReadOnlyList<long> runs, CancellationToken ct)
    {
        if (RunConditions.Of(filter, await database.NowAsync(ct), isWhole: true) is not { } conditions) return [];
        var found = await pages.RunAsync(
            db => conditions.FitAsync(db, db.Runs.Where(r => runs.Contains(r.Id)).OrderBy(r => r.Id), runs.Count, definitions, runs.Count, ct), ct);
        return await ChosenAsync(found, ct);
    }

    private async Task<IReadOnlyList<ChosenRun>> ChosenAsync(List<FoundRun> found, CancellationToken ct)
    {
        var chosen = new List<ChosenRun>(found.Count);
        foreach (var row in found)
        {
            var run = row.Whole!.Run;
            chosen.Add(new(
                new RunRef(run.Id, run.Workflow, run.InstanceId, run.Number), await definitions.GetAsync(run.DefinitionId, ct), row.Whole.Status, run.IsCurrent,
                Instants.FromMicros(run.CreatedAt), Instants.FromMicros(run.EndedAt), StoredError.Read(row.Error)));
        }

        return chosen;
    }

    public async Task<IReadOnlyList<int>> NumbersAsync(string workflow, string instanceId, int most, CancellationToken ct)
    {
        if (!StorableText.Fits(workflow) || !StorableText.Fits(instanceId)) return [];
        return await pages.RunAsync(
            db => db.Runs.Where(r => r.Workflow == workflow && r.InstanceId == instanceId).OrderByDescending(r => r.Number).Take(most).Select(r => r.Number).ToListAsync(ct), ct);
    }

    public async Task<(RunRef? From, IReadOnlyList<RunRef> Forks)> KeptStepsAsync(RunRef run, int most, CancellationToken ct) => await pages.RunAsync<(RunRef?, IReadOnlyList<RunRef>)>(
        async db =>
        {
            var from = await db.Runs.Where(r => r.Id == run.Id && r.FromRun != null).Join(db.Runs, r => r.FromRun, f => f.Id, (r, f) => f)
                .Select(f => new RunRef(f.Id, f.Workflow, f.InstanceId, f.Number)).FirstOrDefaultAsync(ct);
            var forks = await db.Runs.Where(r => r.FromRun == run.Id && r.InstanceId != run.InstanceId).OrderByDescending(r => r.Id).Take(most)
                .Select(r => new RunRef(r.Id, r.Workflow, r.InstanceId, r.Number)).ToListAsync(ct);
            return (from, forks);
        },
        ct);

    public async Task<bool> TagAsync(long runId, string? tagsJson, CancellationToken ct)
    {
        var isThere = false;
        await TagAsync(
            [runId],
            (_, _) =>
            {
                isThere = true;
                return tagsJson;
            },
            ct);
        return isThere;
    }

    public async Task TagAsync(IReadOnlyList<long> runs, Func<long, string?, string?> change, CancellationToken ct)
    {
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);

        // One change of tags after the other: each sees what the one before has written.
        await database.LockAsync(db, [TagLock], ct);
        var before = await db.Runs.Where(r => runs.Contains(r.Id)).OrderBy(r => r.Id).Select(r => new { r.Id, r.CreatedAt, r.Tags }).ToListAsync(ct);

        // Runs with the same tags are changed together.
        foreach (var same in before.GroupBy(run => change(run.Id, run.Tags)).Where(same => same.Any(run => run.Tags != same.Key)))
        {
            long[] ids = [.. same.Select(run => run.Id)];
            await db.Runs.Where(r => ids.Contains(r.Id)).ExecuteUpdateAsync(set => set.SetProperty(r => r.Tags, same.Key), ct);
            await db.RunTags.Where(t => ids.Contains(t.RunId)).ExecuteDeleteAsync(ct);
            db.RunTags.AddRange(same.SelectMany(run => RunTagRow.Of(run.Id, run.CreatedAt, same.Key)));
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    private async Task<(List<FoundRun> Found, RunListPlace? Next, DateTimeOffset? SearchedTo, DateTimeOffset Now)> FindAsync(RunFilter filter, int most, CancellationToken ct)
    {
        var now = await database.NowAsync(ct);
        if (RunConditions.Of(filter, now) is not { } conditions) return ([], null, null, now);
        var request = new RunListRequest(filter, null, OldestFirst: false, most);
        var (found, next, searchedTo) = await pages.RunAsync(db => FindAsync(db, request, conditions, IRunSearch.Counted, ct), ct);
        return (found, next, searchedTo, now);
    }

    // In the order in which they were found.
    private static async Task<List<RunActivity>> WholeAsync(BrokerDb db, List<FoundRun> found, DateTimeOffset now, CancellationToken ct)
    {
        long[] ids = [.. found.Select(run => run.Id)];
        var rows = await HistoryStatus.Of(db.Runs.Where(r => ids.Contains(r.Id)), db, now.ToMicros(), withResult: false).AsNoTracking().ToDictionaryAsync(row => row.Run.Id, ct);
        return [.. ids.Where(rows.ContainsKey).Select(id => rows[id])];
    }

    private async Task<(List<FoundRun> Found, RunListPlace? Next, DateTimeOffset? SearchedTo)> FindAsync(
        BrokerDb db, RunListRequest request, RunConditions conditions, int bound, CancellationToken ct)
    {
        var (walks, isById, isSet) = await RunWalks.PlanAsync(db, request, conditions, ct);
        var share = Math.Max(bound / Math.Max(walks.Count, 1), 100);
        var order = new RunOrder(isById, request.OldestFirst);
        var found = new List<FoundRun>();
        RunListPlace? end = null;
        foreach (var walk in walks)
        {
            var window = walk(order, request.After).Take(share);
            var fitting = await conditions.FitAsync(db, window, share, definitions, request.Limit + 1, ct);
            found.AddRange(fitting);

            // Beyond the last one found, or beyond the last one examined, there may be more.
            var reached = fitting.Count > request.Limit ? order.PlaceOf(fitting[^1])
                : isSet ? null
                : (await window.Skip(share - 1).Select(r => new { r.CreatedAt, r.Id }).FirstOrDefaultAsync(ct)) is { } last
                    ? new RunListPlace(isById, Instants.FromMicros(last.CreatedAt), last.Id) : (RunListPlace?)null;
            if (reached is { } place && (end is null || order.Compare(place, end.Value) < 0)) end = place;
        }

        found.Sort((a, b) => order.Compare(order.PlaceOf(a), order.PlaceOf(b)));
        if (end is { } horizon) found.RemoveAll(run => order.Compare(order.PlaceOf(run), horizon) > 0);
        if (found.Count <= request.Limit) return (found, end, end?.CreatedAt);
        found.RemoveRange(request.Limit, found.Count - request.Limit);
        return (found, order.PlaceOf(found[^1]), null);
    }

    private async Task<IReadOnlyList<ListedRun>> ListedAsync(List<RunActivity> found, CancellationToken ct)
    {
        if (found.Count == 0) return [];
        var runs = new List<ListedRun>(found.Count);
        foreach (var row in found)
        {
            var run = row.Run;
            runs.Add(new ListedRun
            {
                Ref = new RunRef(run.Id, run.Workflow, run.InstanceId, run.Number),
                Definition = await definitions.GetAsync(run.DefinitionId, ct),
                Status = row.Status,
                CreatedAt = Instants.FromMicros(run.CreatedAt),
                StartedAt = Instants.FromMicros(run.StartedAt < row.FirstBegun ? run.StartedAt : row.FirstBegun ?? run.StartedAt),
                UpdatedAt = Instants.FromMicros(run.UpdatedAt),
                EndedAt = Instants.FromMicros(run.EndedAt),
                Error = StoredError.Read(run.Error),
                LastNumber = run.Number,
                TagsJson = run.Tags,
            });
        }

        var counted = runs.Where(run => run.Definition.Steps.Length <= ListedRun.LargestCounted).Select(run => run.Ref.Id).ToArray();
        var older = found.Where(row => !row.Run.IsCurrent).Select(row => row.Run.Id).ToArray();
        var (progress, last) = await pages.RunAsync(async db => (await ProgressOf(db, counted, ct), await LastOf(db, older, ct)), ct);
        return runs.ConvertAll(run => run with { Progress = progress.GetValueOrDefault(run.Ref.Id), LastNumber = last.GetValueOrDefault(run.Ref.Id, run.LastNumber) });
    }

    private static Task<Dictionary<long, int>> LastOf(BrokerDb db, long[] runs, CancellationToken ct) => db.Runs.Where(r => runs.Contains(r.Id))
        .Select(r => new { r.Id, Last = db.Runs.Where(o => o.Workflow == r.Workflow && o.InstanceId == r.InstanceId).Max(o => o.Number) })
        .ToDictionaryAsync(r => r.Id, r => r.Last, ct);

    private static async Task<Dictionary<long, RunProgress>> ProgressOf(BrokerDb db, long[] runs, CancellationToken ct)
    {
        var counts = await db.Steps.Where(s => runs.Contains(s.RunId) && s.Idx < StepDefinition.FirstDynamic).GroupBy(s => new { s.RunId, s.Status })
            .Select(g => new { g.Key.RunId, g.Key.Status, Count = g.Count() }).ToListAsync(ct);
        var marked = await db.Steps
            .Where(s => runs.Contains(s.RunId) && s.Idx < StepDefinition.FirstDynamic && (s.Status == (short)StepStatus.Leased || s.Status == (short)StepStatus.Waiting || s.Status == (short)StepStatus.Failed))
            .Select(s => new { s.RunId, s.Idx, s.Status, s.Worker, s.GrantedAt, s.BegunAt, s.ExpiresAt, s.Due, s.EndedAt }).ToListAsync(ct);
        var steps = marked.ToLookup(s => s.RunId);
        return counts.GroupBy(c => c.RunId).ToDictionary(run => run.Key, run =>
        {
            int Count(params StepStatus[] statuses) => run.Where(c => statuses.Contains((StepStatus)c.Status)).Sum(c => c.Count);
            var current = steps[run.Key].Where(s => s.Status != (short)StepStatus.Failed).OrderBy(s => s.Status).ThenBy(s => s.Idx).Take(RunProgress.Most);
            var failed = steps[run.Key].Where(s => s.Status == (short)StepStatus.Failed).OrderBy(s => s.EndedAt).ThenBy(s => s.Idx).FirstOrDefault();
            return new RunProgress(
                Count(StepStatus.Succeeded, StepStatus.Skipped), Count(StepStatus.Failed), Count(StepStatus.Leased),
                [
                    .. current.Select(s => s.Status == (short)StepStatus.Leased
                        ? new ActiveStep(s.Idx, StepStatus.Leased, s.Worker, Instants.FromMicros(s.GrantedAt), Instants.FromMicros(s.ExpiresAt))
                        : new ActiveStep(s.Idx, StepStatus.Waiting, null, Instants.FromMicros(s.BegunAt), Instants.FromMicros(s.Due))),
                ],
                failed?.Idx);
        });
    }
}
