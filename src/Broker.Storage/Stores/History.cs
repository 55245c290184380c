using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class History(IDatabase database, DefinitionCache definitions, IPageReads pages) : IHistory
{
    private const int MostAttempts = 1000;
    private const long MostItemBytes = 4 << 20;

    private static readonly Page<RunView> NoRuns = new([], false);

    public Task<RunView?> FindAsync(string workflow, string instanceId, int? number, CancellationToken ct)
    {
        if (!StorableText.Fits(workflow) || !StorableText.Fits(instanceId)) return Task.FromResult<RunView?>(null);
        return OneAsync(runs => runs.Where(r => r.Workflow == workflow && r.InstanceId == instanceId && (number == null ? r.IsCurrent : r.Number == number)), ct);
    }

    public Task<RunView?> FindByInstanceAsync(string instanceId, CancellationToken ct)
    {
        if (!StorableText.Fits(instanceId)) return Task.FromResult<RunView?>(null);
        return OneAsync(
            runs => runs.Where(r => r.InstanceId == instanceId && r.IsCurrent).OrderByDescending(r => r.InstanceCreatedAt).ThenByDescending(r => r.Id), ct);
    }

    public async Task<IReadOnlyList<RunRef>> ActiveOfInstanceAsync(string instanceId, CancellationToken ct)
    {
        if (!StorableText.Fits(instanceId)) return [];
        await using var db = database.CreateContext();
        return await db.Runs.AsNoTracking()
            .Where(r => r.InstanceId == instanceId && r.IsCurrent && r.EndedAt == null)
            .Select(r => new RunRef(r.Id, r.Workflow, r.InstanceId, r.Number))
            .ToListAsync(ct);
    }

    public Task<RunView?> LatestOfAsync(string workflow, CancellationToken ct)
    {
        if (!StorableText.Fits(workflow)) return Task.FromResult<RunView?>(null);
        return OneAsync(runs => runs.Where(r => r.Workflow == workflow).OrderByDescending(r => r.CreatedAt).ThenByDescending(r => r.Id), ct);
    }

    public async Task<IReadOnlyDictionary<string, RunView>> LatestOfAsync(IReadOnlyList<string> workflows, CancellationToken ct)
    {
        var latest = new List<(RunRow Run, List<StepRow> Steps)>();
        await using (var db = database.CreateContext())
        {
            await using var snapshot = await HistorySnapshot.BeginAsync(db, ct);
            foreach (var workflow in workflows.Distinct(StringComparer.Ordinal).Where(StorableText.Fits))
            {
                var run = await db.Runs.AsNoTracking()
                    .Where(r => r.Workflow == workflow)
                    .OrderByDescending(r => r.CreatedAt).ThenByDescending(r => r.Id)
                    .FirstOrDefaultAsync(ct);
                if (run is not null) latest.Add((run, await StepsOfAsync(db, run.Id, ct)));
            }
        }

        var views = new Dictionary<string, RunView>(StringComparer.Ordinal);
        if (latest.Count == 0) return views;
        var now = await database.NowAsync(ct);
        foreach (var (run, steps) in latest) views[run.Workflow] = await ViewAsync(run, steps, now, ct);
        return views;
    }

    private async Task<RunView?> OneAsync(Func<IQueryable<RunRow>, IQueryable<RunRow>> which, CancellationToken ct)
    {
        RunRow? run;
        List<StepRow> steps;
        await using (var db = database.CreateContext())
        {
            await using var snapshot = await HistorySnapshot.BeginAsync(db, ct);
            run = await which(db.Runs.AsNoTracking()).FirstOrDefaultAsync(ct);
            if (run is null) return null;
            steps = await StepsOfAsync(db, run.Id, ct);
        }

        return await ViewAsync(run, steps, await database.NowAsync(ct), ct);
    }

    // Without their results: a view shows the state of the run by its steps, and 20,000 results may be any number of megabytes.
    private static Task<List<StepRow>> StepsOfAsync(BrokerDb db, long runId, CancellationToken ct) =>
        db.Steps.Where(s => s.RunId == runId && s.Idx < StepDefinition.FirstDynamic).OrderBy(s => s.Idx).Select(s => new StepRow
        {
            RunId = s.RunId,
            Idx = s.Idx,
            Status = s.Status,
            Due = s.Due,
            Attempt = s.Attempt,
            Losses = s.Losses,
            Fence = s.Fence,
            Worker = s.Worker,
            QueuedAt = s.QueuedAt,
            GrantedAt = s.GrantedAt,
            ExpiresAt = s.ExpiresAt,
            LeaseSecs = s.LeaseSecs,
            BegunAt = s.BegunAt,
            EndedAt = s.EndedAt,
            Deadline = s.Deadline,
            TotalDeadline = s.TotalDeadline,
            Items = s.Items,
            Error = s.Error,
        }).ToListAsync(ct);

    private async Task<RunView> ViewAsync(RunRow run, List<StepRow> rows, DateTimeOffset now, CancellationToken ct)
    {
        var steps = rows.ConvertAll(StepRowMapper.StateOf);
        var status = RunStatuses.Of((RunPhase)run.Phase, Instants.FromMicros(run.ResumedAt), steps, now);
        return await ViewAsync(run, status, rows.Where(s => run.FromRun is null || s.BegunAt >= run.CreatedAt).Min(s => s.BegunAt), steps, ct);
    }

    private async ValueTask<RunView> ViewAsync(RunRow run, RunStatus status, long? firstBegun, IReadOnlyList<StepState> steps, CancellationToken ct) => new()
    {
        Ref = new RunRef(run.Id, run.Workflow, run.InstanceId, run.Number),
        Definition = await definitions.GetAsync(run.DefinitionId, ct),
        Status = status,
        CreatedAt = Instants.FromMicros(run.InstanceCreatedAt),
        QueuedAt = Instants.FromMicros(run.CreatedAt),

        // The run's row knows of the first grant that was reported on; an earlier one may still be out.
        StartedAt = Instants.FromMicros(run.StartedAt < firstBegun ? run.StartedAt : firstBegun ?? run.StartedAt),
        UpdatedAt = Instants.FromMicros(run.UpdatedAt),
        EndedAt = Instants.FromMicros(run.EndedAt),
        StartAt = Instants.FromMicros(run.StartAt),
        Deadline = Instants.FromMicros(run.Deadline),
        Priority = run.Priority ?? 0,
        TagsJson = run.Tags,
        InputsJson = run.Inputs,
        ContextJson = run.Context,
        ResultJson = run.Result,
        Error = StoredError.Read(run.Error),
        Steps = steps,
    };

    public async Task<IRunWalk> WalkAsync(IReadOnlyList<string>? workflows, RunPlace? after, CancellationToken ct)
    {
        var names = workflows?.Where(StorableText.Fits).Distinct(StringComparer.Ordinal).ToArray();
        if (names is []) return new EmptyWalk();
        var merge = await RunMerge.BeginAsync(pages, names, after, ct);
        return new RunWalk(merge, (ids, stop) => ViewsAsync(runs => runs.Where(r => ids.Contains(r.Run.Id) && r.Run.IsCurrent), stop));
    }

    public async Task<Page<RunView>> ListByIdAsync(string workflow, string? afterId, int limit, CancellationToken ct)
    {
        if (!StorableText.Fits(workflow) || (afterId is not null && !StorableText.Fits(afterId))) return NoRuns;
        var rows = await ViewsAsync(
            runs => runs
                .Where(r => r.Run.Workflow == workflow && r.Run.IsCurrent && (afterId == null || string.Compare(r.Run.InstanceId, afterId) < 0))
                .OrderByDescending(r => r.Run.InstanceId)
                .Take(limit + 1),
            ct);
        return PageOf(rows, limit);
    }

    public async Task<Page<RunView>> ListByStatusAsync(
        string workflow, IReadOnlySet<RunStatus> statuses, (DateTimeOffset UpdatedAt, string Id)? after, int limit, CancellationToken ct)
    {
        if (!StorableText.Fits(workflow) || (after is { } key && !StorableText.Fits(key.Id))) return NoRuns;
        var (at, id) = (after?.UpdatedAt.ToMicros() ?? long.MaxValue, after?.Id);
        var rows = await ViewsAsync(
            runs => runs
                .Where(r => r.Run.Workflow == workflow && r.Run.IsCurrent)
                .Where(r => id == null || r.Run.UpdatedAt < at || (r.Run.UpdatedAt == at && string.Compare(r.Run.InstanceId, id) < 0))
                .Where(HistoryStatus.In(statuses))
                .OrderByDescending(r => r.Run.UpdatedAt).ThenByDescending(r => r.Run.InstanceId)
                .Take(limit + 1),
            ct);
        return PageOf(rows, limit);
    }

    // Runs and what their steps are doing by one statement, so that both are of the same moment.
    private async Task<List<RunView>> ViewsAsync(
        Func<IQueryable<RunActivity>, IQueryable<RunActivity>> which, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        var rows = await pages.RunAsync(db => which(HistoryStatus.Of(db, now)).AsNoTracking().ToListAsync(ct), ct);
        var views = new List<RunView>(rows.Count);
        foreach (var row in rows) views.Add(await ViewAsync(row.Run, row.Status, row.FirstBegun, [], ct));
        return views;
    }

    private static Page<T> PageOf<T>(List<T> rows, int limit)
    {
        var more = rows.Count > limit;
        if (more) rows.RemoveRange(limit, rows.Count - limit);
        return new(rows, more);
    }

    public async Task<Page<StepState>> StepsAsync(long runId, (DateTimeOffset Begun, int Index)? after, bool descending, int limit, CancellationToken ct)
    {
        var rows = await pages.RunAsync(db => StepsOf(db, runId, after, descending).Take(limit + 1).ToListAsync(ct), ct);
        return PageOf(rows.ConvertAll(StepRowMapper.StateOf), limit);
    }

    // Steps that wait for a worker come last: one that begins between two pages is never left out.
    private static readonly long NotBegun = DateTimeOffset.MaxValue.ToMicros();

    private static IQueryable<StepRow> StepsOf(BrokerDb db, long runId, (DateTimeOffset Begun, int Index)? after, bool descending)
    {
        var steps = db.Steps.AsNoTracking()
            .Where(s => s.RunId == runId && (s.BegunAt != null || s.Status == (short)StepStatus.Ready || s.Status == StepRow.Paused));
        if (after is { } key)
        {
            var (at, index) = (key.Begun.ToMicros(), key.Index);
            steps = descending
                ? steps.Where(s => (s.BegunAt ?? NotBegun) < at || ((s.BegunAt ?? NotBegun) == at && s.Idx < index))
                : steps.Where(s => (s.BegunAt ?? NotBegun) > at || ((s.BegunAt ?? NotBegun) == at && s.Idx > index));
        }

        return descending
            ? steps.OrderByDescending(s => s.BegunAt ?? NotBegun).ThenByDescending(s => s.Idx)
            : steps.OrderBy(s => s.BegunAt ?? NotBegun).ThenBy(s => s.Idx);
    }

    public async Task<Page<StepState>> ItemsAsync(long runId, MapDefinition map, int behind, bool isBackward, IReadOnlySet<StepStatus> statuses, int limit, CancellationToken ct)
    {
        var (first, end) = isBackward ? (map.First, map.First + behind) : (map.First + behind + 1, map.First + MapDefinition.MostItems);
        short[] stored = [.. statuses.Select(status => (short)status), .. statuses.Contains(StepStatus.Ready) ? [StepRow.Paused] : Array.Empty<short>()];
        var sizes = await pages.RunAsync(
            db => InOrder(db.Steps.AsNoTracking().Where(s => s.RunId == runId && s.Idx >= first && s.Idx < end && (stored.Length == 0 || stored.Contains(s.Status))), isBackward)
                .Take(limit + 1).Select(s => new { s.Idx, Bytes = (long)(BrokerDb.Octets(s.Input ?? "") + BrokerDb.Octets(s.Result ?? "")) }).ToListAsync(ct),
            ct);
        var (taken, bytes) = (0, 0L);
        while (taken < Math.Min(sizes.Count, limit) && (taken == 0 || bytes + sizes[taken].Bytes <= MostItemBytes)) bytes += sizes[taken++].Bytes;
        var chosen = sizes.Take(taken).Select(s => s.Idx).ToArray();
        var rows = await pages.RunAsync(db => InOrder(db.Steps.AsNoTracking().Where(s => s.RunId == runId && chosen.Contains(s.Idx)), isBackward).ToListAsync(ct), ct);
        return new(rows.ConvertAll(StepRowMapper.StateOf), sizes.Count > taken);
    }

    private static IQueryable<StepRow> InOrder(IQueryable<StepRow> steps, bool isBackward) => isBackward ? steps.OrderByDescending(s => s.Idx) : steps.OrderBy(s => s.Idx);

    public async Task<StepState?> ItemAsync(long runId, int index, CancellationToken ct) =>
        await pages.RunAsync(db => db.Steps.AsNoTracking().SingleOrDefaultAsync(s => s.RunId == runId && s.Idx == index, ct), ct) is { } row ? StepRowMapper.StateOf(row) with { Result = null } : null;

    public async Task<IReadOnlyList<AttemptEnd>> AttemptsAsync(long runId, int? step, CancellationToken ct)
    {
        var rows = await pages.RunAsync(
            db => db.Attempts.AsNoTracking()
                .Where(a => a.RunId == runId && (step == null || a.Idx == step))
                .OrderBy(a => a.Idx).ThenBy(a => a.Number).Take(MostAttempts).ToListAsync(ct),
            ct);
        return rows.ConvertAll(a => new AttemptEnd(
            a.Idx, a.Attempt, (AttemptOutcome)a.Outcome, a.Worker, Instants.FromMicros(a.GrantedAt), Instants.FromMicros(a.EndedAt), StoredError.Read(a.Error))
        {
            Number = a.Number,
        });
    }

    public Task<string?> ProgressAsync(long runId, int step, CancellationToken ct) => pages.RunAsync(
        db => db.Steps.Where(s => s.RunId == runId && s.Idx == step).Select(s => s.Progress).SingleOrDefaultAsync(ct), ct);

    public async Task<Page<InboxEvent>> InboundAsync(long runId, long? afterId, bool descending, int limit, CancellationToken ct)
    {
        var rows = await pages.RunAsync(db => InboxOf(db, runId, afterId, descending).Take(limit + 1).ToListAsync(ct), ct);

        // The id is the instant of arrival.
        return PageOf(
            rows.ConvertAll(i => new InboxEvent(
                i.Id, i.Type, i.Payload, i.TargetStep, Instants.FromMicros(i.Id), Instants.FromMicros(i.DeliveredAt), i.ConsumedBy)),
            limit);
    }

    private static IQueryable<InboxRow> InboxOf(BrokerDb db, long runId, long? afterId, bool descending)
    {
        var mail = db.Inbox.AsNoTracking().Where(i => i.RunId == runId);
        if (afterId is { } after) mail = descending ? mail.Where(i => i.Id < after) : mail.Where(i => i.Id > after);
        return descending ? mail.OrderByDescending(i => i.Id) : mail.OrderBy(i => i.Id);
    }

    public async Task<Page<LogRow>> LogsAsync(
        long runId, string? level, string? category, long? afterId, bool descending, int limit, CancellationToken ct)
    {
        if ((level is not null && !StorableText.Fits(level)) || (category is not null && !StorableText.Fits(category))) return new([], false);
        var rows = await pages.RunAsync(db => LinesOf(db, runId, level, category, afterId, descending).Take(limit + 1).ToListAsync(ct), ct);
        return PageOf(rows.ConvertAll(LogStore.RowOf), limit);
    }

    private static IQueryable<LogLineRow> LinesOf(BrokerDb db, long runId, string? level, string? category, long? afterId, bool descending)
    {
        var lines = db.Logs.AsNoTracking().Where(l => l.RunId == runId);
        if (level is not null) lines = lines.Where(l => l.Level == level);
        if (category is not null) lines = lines.Where(l => l.Category == category);
        if (afterId is { } after) lines = descending ? lines.Where(l => l.Id < after) : lines.Where(l => l.Id > after);
        return descending ? lines.OrderByDescending(l => l.Id) : lines.OrderBy(l => l.Id);
    }
}
