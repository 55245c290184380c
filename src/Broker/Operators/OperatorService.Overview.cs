using Broker.Auth;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Operators.Where;
using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int MostGroups = 200;
    private const int TrendParts = 12;
    private const int CountedWaits = 1000;
    private static readonly HashSet<RunStatus> Open = [RunStatus.Queued, RunStatus.Running, RunStatus.Waiting, RunStatus.Pausing, RunStatus.Paused];
    private static readonly HashSet<RunStatus> FailedOnly = [RunStatus.Failed];

    public async Task<RunCount> GroupRunsAsync(RunQuery query, string group, CancellationToken ct)
    {
        var where = group == "error" ? query.Where.And("status", WhereOperator.Equal, new WhereValue("failed", IsQuoted: false)) : query.Where;
        var found = await search.ChooseAsync(RunFilterReader.Of(where, engine.Now, Caller.Current.Limit), null, Limits.LargestCount, ct);
        var counts = CountsOf(found.Rows, run => group switch
        {
            "workflow" => run.Ref.Workflow,
            "error" => run.Error?.Name ?? StepError.DefaultName,
            _ => RunWords.Of(run.Status),
        });
        return new(found.Rows.Count, found is { Next: not null, SearchedTo: null }, found.SearchedTo is null, found.SearchedTo, found.Now, [.. counts.Take(MostGroups)]);
    }

    public async Task<RunHistogram> GetHistogramAsync(RunQuery query, int buckets, CancellationToken ct)
    {
        var filter = RunFilterReader.Of(query.Where, engine.Now, Caller.Current.Limit);
        var found = await search.ChooseAsync(filter, null, Limits.LargestCount, ct);
        var end = filter.CreatedBefore < found.Now ? filter.CreatedBefore.Value : found.Now;
        var from = found.Next is null && filter.CreatedAfter is { } after ? after : found.Rows.Count > 0 ? found.Rows.Min(run => run.CreatedAt) : end;
        var step = Math.Max(1, (long)Math.Ceiling((end - from).TotalMilliseconds / buckets));
        var series = found.Rows.GroupBy(run => run.Status).OrderBy(same => same.Key).Select(same =>
        {
            var counts = new int[buckets];
            foreach (var run in same) counts[(int)Math.Clamp((run.CreatedAt - from).TotalMilliseconds / step, 0, buckets - 1)]++;
            return new StatusSeries(RunWords.Of(same.Key), counts);
        });
        return new(from, step, [.. series], found.Rows.Count, found.Next is null, found.Next is null ? null : found.SearchedTo ?? from, found.Now);
    }

    public async Task<FailureGroups> ListFailuresAsync(FailureQuery query, CancellationToken ct)
    {
        var filter = RunFilter.All with { Statuses = FailedOnly, Workflows = query.Workflows.Count > 0 ? query.Workflows : null };
        if (query.Since is { } since)
            filter = filter with { CreatedAfter = WhereValues.TryInstant(since, engine.Now, out var instant) ? instant : throw OperatorException.BadParameter("since", "expected an instant such as 2030-01-31T12:00:00Z, a day, or a time ago such as 1h") };
        if (Caller.Current.Limit is { } limit) filter = filter with { Workflows = filter.Workflows is null ? limit : [.. filter.Workflows.Intersect(limit)] };
        var found = await search.ChooseAsync(filter, null, query.Scan, ct);
        var oldest = found.Rows.Count > 0 ? found.Rows.Min(run => run.EndedAt ?? run.CreatedAt) : found.Now;
        var part = Math.Max(1, (found.Now - oldest).Ticks / TrendParts);
        var groups = found.Rows.Select(run => (Run: run, Error: run.Error ?? new(StepError.DefaultName, ""), At: run.EndedAt ?? run.CreatedAt))
            .GroupBy(failure => FailureGroup.Of(failure.Run.Ref.Workflow, failure.Error))
            .Select(group =>
            {
                var newest = group.MaxBy(failure => failure.At);
                var trend = new int[TrendParts];
                foreach (var failure in group) trend[(int)Math.Clamp((failure.At - oldest).Ticks / part, 0, TrendParts - 1)]++;
                return new FailureSummary(
                    group.Key, newest.Run.Ref.Workflow, newest.Error.Step, newest.Error.Name, RunWords.Cut(newest.Error.Message, Limits.ListedMessage), group.Count(),
                    group.Min(failure => failure.At), newest.At, trend, new(newest.Run.Ref.Workflow, newest.Run.Ref.InstanceId, newest.Run.Ref.Number));
            })
            .OrderByDescending(group => group.Count).ThenByDescending(group => group.LastAt).ToList();
        return new([.. groups.Take(MostGroups)], found.Rows.Count, found.Next is null && groups.Count <= MostGroups, found.Now);
    }

    public async Task<Overview> GetOverviewAsync(TimeSpan window, CancellationToken ct)
    {
        var limit = Caller.Current.Limit;
        var active = await search.ChooseAsync(RunFilter.All with { Statuses = Open, Workflows = limit }, null, Limits.LargestCount, ct);
        var now = active.Now;
        var failed = RunFilter.All with { Statuses = FailedOnly, Workflows = limit };
        var inWindow = await search.CountAsync(failed with { EndedAfter = now - window }, Limits.LargestCount, ct);
        var before = await search.CountAsync(failed with { EndedAfter = now - (2 * window), EndedBefore = now - window }, Limits.LargestCount, ct);
        var started = await search.CountAsync(RunFilter.All with { CreatedAfter = now - window, Workflows = limit }, Limits.LargestCount, ct);
        var (queues, _) = await work.QueuesAsync(limit, SilentAfter, ct);
        var waits = await steps.WaitsAsync(new(limit, IsForPeople: true), null, CountedWaits, ct);
        var oldest = queues.Where(queue => queue.OldestDue is not null).Select(queue => queue.OldestDue!.Value).DefaultIfEmpty(now).Min();
        return new(
            CountsOf(active.Rows, run => RunWords.Of(run.Status)), active.Next is not null,
            new(queues.Sum(queue => queue.Depth), queues.Any(queue => queue.Depth > 0) ? Math.Max(0, (long)(now - oldest).TotalMilliseconds) : null),
            queues.Count(queue => queue is { WorkersAble: 0, Depth: > 0 }),
            new(inWindow.Count, inWindow.IsCapped), new(before.Count, before.IsCapped), new(started.Count, started.IsCapped),
            new(waits.Rows.Count, waits.Rows.Count(wait => wait.State.Due <= waits.Now), waits.Next is not null),
            await CountWorkersAsync(ct), (long)window.TotalMilliseconds,
            active.SearchedTo is null && inWindow.SearchedTo is null && before.SearchedTo is null && started.SearchedTo is null, now, InfoOf(holds.Maintenance));
    }

    private async Task<WorkerCounts> CountWorkersAsync(CancellationToken ct)
    {
        var (fresh, silent, holding, drained) = (0, 0, 0, 0);
        WorkerPlace? after = null;
        for (var examined = 0; examined < Limits.ExaminedRows; examined += WorkersAtOnce)
        {
            var (page, now) = await work.WorkersAsync(after, WorkersAtOnce, 0, ct);
            foreach (var worker in page.Where(Knows))
            {
                var isFresh = now - worker.SeenAt <= SilentAfter(worker.Kind);
                fresh += isFresh ? 1 : 0;
                silent += isFresh ? 0 : 1;
                holding += !isFresh && worker.Leases > 0 ? 1 : 0;
                drained += holds.OfWorker(worker.Id) is null ? 0 : 1;
            }

            if (page.Count < WorkersAtOnce) break;
            after = new(page[^1].RegisteredAt, page[^1].Id);
        }

        return new(fresh, silent, holding, drained);
    }

    public async Task<SearchHits> SearchAsync(string text, int limit, CancellationToken ct)
    {
        var hits = new List<SearchHit>();
        if (LeaseId.TryParse(text, out var lease) && await steps.OpenAsync([lease.RunId], ExplainedStepsOfRun, ct) is { Count: > 0 } open)
        {
            hits.AddRange(open.Where(step => step.State.Index == lease.Step && Caller.Current.Knows(step.Run.Workflow)).Select(step => new SearchHit
            {
                Kind = "lease",
                Workflow = step.Run.Workflow,
                Instance = step.Run.InstanceId,
                Run = step.Run.Number,
                Step = step.Step.Name,
                Id = text,
            }));
        }

        var (worker, _) = await work.WorkerAsync(text, 0, ct);
        if (worker is not null && Knows(worker)) hits.Add(new() { Kind = "worker", Id = worker.Id });
        foreach (var isPrefix in (bool[])[false, true])
        {
            var found = await search.ListAsync(new(RunFilter.All with { Instances = [new(text, isPrefix)], Workflows = Caller.Current.Limit }, null, OldestFirst: false, limit), ct);
            hits.AddRange(found.Rows.Where(run => !isPrefix || run.Ref.InstanceId != text).Select(run => new SearchHit
            {
                Kind = "run",
                Workflow = run.Ref.Workflow,
                Instance = run.Ref.InstanceId,
                Run = run.Ref.Number,
                Status = RunWords.Of(run.Status),
            }));
        }

        await foreach (var head in engine.DefinitionsAsync(ct))
        {
            if (hits.Count >= limit + Limits.UsualPage) break;
            if (head.Name.Contains(text, StringComparison.OrdinalIgnoreCase)) hits.Add(new() { Kind = "workflow", Workflow = head.Name });
        }

        if (Caller.Current is { Workflows: null } caller && caller.May(Scope.Admin))
            hits.AddRange((await keyStore.ListAsync(ct)).Where(key => key.Id == text || key.Name.Contains(text, StringComparison.OrdinalIgnoreCase)).Select(key => new SearchHit { Kind = "key", Id = key.Id }));
        return new([.. hits.OrderByDescending(hit => text == (hit.Id ?? hit.Instance ?? hit.Workflow)).Take(limit)]);
    }

    public async Task<SystemInfo> GetSystemAsync(CancellationToken ct)
    {
        var stored = await keyStore.ListAsync(ct);
        return new(
            Version, engine.Settings.Target().Postgres is null ? "sqlite" : "postgresql", started, stored.Count(key => key.RevokedAt is null) + auth.Keys.Count,
            ShownSettings.Of(engine.Settings), [.. holds.Starts.Select(hold => InfoOf(hold)!).OrderBy(hold => hold.Name, StringComparer.Ordinal)],
            [.. holds.Workers.Select(hold => InfoOf(hold)!).OrderBy(hold => hold.Name, StringComparer.Ordinal)], engine.Now, InfoOf(holds.Maintenance));
    }
}
