using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>Reads open steps by their runs, and waits along the index of waiting steps.</summary>
internal sealed class StepSearch(IDatabase database, DefinitionCache definitions, WorkerStore workers, IPageReads pages) : IStepFacts
{
    private const int Batch = 500;
    private const int Workers = 10_000;

    public Task<string?> ResultAsync(long runId, int step, CancellationToken ct) =>
        pages.RunAsync(db => db.Steps.Where(s => s.RunId == runId && s.Idx == step).Select(s => s.Result).FirstOrDefaultAsync(ct), ct);

    public async Task<IReadOnlyList<OpenStep>> OpenAsync(IReadOnlyList<long> runs, int most, CancellationToken ct)
    {
        var ids = runs.ToArray();
        var rows = await pages.RunAsync(
            db => Joined(db, db.Steps.Where(s => ids.Contains(s.RunId)
                    && (s.Status == (short)StepStatus.Ready || s.Status == (short)StepStatus.Leased || s.Status == (short)StepStatus.Waiting || s.Status == StepRow.Paused)))
                .OrderBy(r => r.Step.RunId).ThenBy(r => r.Step.Idx).Take(most).AsNoTracking().ToListAsync(ct),
            ct);
        return await OpenAsync(rows, ct);
    }

    public async Task<WaitList> WaitsAsync(WaitFilter filter, WaitPlace? after, int limit, CancellationToken ct, bool isBackward = false)
    {
        var now = await database.NowAsync(ct);
        var found = new List<OpenStep>();
        for (var examined = 0; examined < IRunSearch.Examined; examined += Batch)
        {
            var rows = await pages.RunAsync(db => WaitsOf(db, filter, after, isBackward).Take(Batch).AsNoTracking().ToListAsync(ct), ct);
            foreach (var wait in await OpenAsync(rows, ct))
            {
                if (!Fits(wait, filter)) continue;
                if (found.Count == limit) return new(found, PlaceOf(found[^1]), IsCut: false, now);
                found.Add(wait);
            }

            if (rows.Count < Batch) return new(found, null, IsCut: false, now);
            after = new(Instants.FromMicros(rows[^1].Step.Due), rows[^1].Step.RunId, rows[^1].Step.Idx);
        }

        return new(found, after, IsCut: true, now);
    }

    public async Task<IReadOnlyList<AbleWorkers>> WorkersAbleAsync(IReadOnlyList<OpenStep> steps, Func<WorkerKind, TimeSpan> silentAfter, CancellationToken ct)
    {
        if (steps.Count == 0) return [];
        await workers.FlushAsync(ct);
        var now = await database.NowAsync(ct);
        var seen = await pages.RunAsync(
            db => db.Workers.OrderByDescending(w => w.SeenAt).Take(Workers).Select(w => new { w.Kind, w.Definitions, w.Labels, w.Workflows, w.SeenAt }).ToListAsync(ct), ct);
        var offers = seen.ConvertAll(w => new WorkerOffer(
            (WorkerKind)w.Kind, JsonColumn.Read<HashSet<int>>(w.Definitions), JsonColumn.Read<HashSet<string>>(w.Labels),
            w.Workflows is null ? null : JsonColumn.Read<HashSet<string>>(w.Workflows), Instants.FromMicros(w.SeenAt)));
        var able = new Dictionary<(string Workflow, string Version, int Step), AbleWorkers>();
        var answers = new List<AbleWorkers>(steps.Count);
        foreach (var step in steps)
        {
            var key = (step.Definition.Name, step.Definition.Version, step.State.Index);
            if (!able.TryGetValue(key, out var answer))
            {
                var id = await definitions.IdOfAsync(step.Definition, ct);
                var fit = offers.FindAll(offer => offer.Fits(step.Run.Workflow, id, step.Step));
                able[key] = answer = new(fit.Count > 0 ? fit[0].SeenAt : null, fit.Count(offer => now - offer.SeenAt <= silentAfter(offer.Kind)));
            }

            answers.Add(answer);
        }

        return answers;
    }

    public async Task<OpenStep?> FirstOfQueueAsync(int queueId, CancellationToken ct)
    {
        var first = await pages.RunAsync(
            db => Joined(db, db.Steps.Where(s => s.QueueId == queueId && s.Status == (short)StepStatus.Ready).OrderBy(s => s.Rank).ThenBy(s => s.Due).Take(1)).AsNoTracking().ToListAsync(ct), ct);
        return (await OpenAsync(first, ct)).FirstOrDefault();
    }

    // The first comparison lets the index seek. Steps of equal ends are sorted among themselves.
    private static IQueryable<StepWithRun> WaitsOf(BrokerDb db, WaitFilter filter, WaitPlace? after, bool isBackward)
    {
        var waits = db.Steps.Where(s => s.Status == (short)StepStatus.Waiting);
        if (after is { } place)
        {
            var (due, run, index) = (place.Due.ToMicros(), place.RunId, place.Index);
            waits = isBackward
                ? waits.Where(s => s.Due <= due && (s.Due < due || s.RunId < run || (s.RunId == run && s.Idx < index)))
                : waits.Where(s => s.Due >= due && (s.Due > due || s.RunId > run || (s.RunId == run && s.Idx > index)));
        }

        if (filter.DueBefore is { } before)
        {
            var end = before.ToMicros();
            waits = waits.Where(s => s.Due < end);
        }

        var rows = Joined(db, waits);
        if (filter.Workflows is { } workflows)
        {
            var names = workflows.Where(StorableText.Fits).ToArray();
            rows = rows.Where(r => names.Contains(r.Workflow));
        }

        return isBackward
            ? rows.OrderByDescending(r => r.Step.Due).ThenByDescending(r => r.Step.RunId).ThenByDescending(r => r.Step.Idx)
            : rows.OrderBy(r => r.Step.Due).ThenBy(r => r.Step.RunId).ThenBy(r => r.Step.Idx);
    }

    private static bool Fits(OpenStep wait, WaitFilter filter) =>
        wait.Step is { Kind: StepKind.WaitForEvent, EventType: { } type }
        && filter.EventTypes?.Contains(type) is not false
        && (filter.IsForPeople is not { } people || people == wait.Definition.Events.IsForPeople(type));

    private static WaitPlace PlaceOf(OpenStep wait) => new(wait.State.Due, wait.Run.Id, wait.State.Index);

    private static IQueryable<StepWithRun> Joined(BrokerDb db, IQueryable<StepRow> steps) => steps.Join(db.Runs, s => s.RunId, r => r.Id, (s, r) => new StepWithRun
    {
        Step = new StepRow
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
            Items = s.Items,
            Error = s.Error,
        },
        Workflow = r.Workflow,
        InstanceId = r.InstanceId,
        Number = r.Number,
        DefinitionId = r.DefinitionId,
        Phase = r.Phase,
    });

    private async Task<List<OpenStep>> OpenAsync(List<StepWithRun> rows, CancellationToken ct)
    {
        var steps = new List<OpenStep>(rows.Count);
        foreach (var row in rows)
        {
            steps.Add(new(
                new RunRef(row.Step.RunId, row.Workflow, row.InstanceId, row.Number), await definitions.GetAsync(row.DefinitionId, ct), (RunPhase)row.Phase,
                StepRowMapper.StateOf(row.Step)));
        }

        return steps;
    }

    private sealed class StepWithRun
    {
        public required StepRow Step { get; init; }
        public required string Workflow { get; init; }
        public required string InstanceId { get; init; }
        public int Number { get; init; }
        public int DefinitionId { get; init; }
        public short Phase { get; init; }
    }
}
