using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Explanations;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>Looks along the claim index, from the front and never far.</summary>
internal sealed class QueueFacts(IDatabase database, QueueCatalog queues, DefinitionCache definitions, WorkerStore workers) : IQueueFacts
{
    /// <summary>Steps counted in one queue, at most.</summary>
    public const int Bound = 10_000;

    /// <summary>Label queues, which hold steps of any workflow and are therefore read row by row.</summary>
    private const int LabelQueues = 100;
    private const int Workers = 10_000;

    public async Task<(IReadOnlyList<QueueDepth> Depths, DateTimeOffset Now)> DepthsAsync(CancellationToken ct)
    {
        var at = await database.NowAsync(ct);
        var now = at.ToMicros();
        var depths = new Dictionary<string, QueueDepth>(StringComparer.Ordinal);
        void Add(string workflow, int depth, long? oldest)
        {
            if (depth == 0) return;
            var known = depths.GetValueOrDefault(workflow) ?? new(workflow, 0, null);
            var due = Instants.FromMicros(oldest);
            depths[workflow] = new(workflow, known.Depth + depth, known.OldestDue < due ? known.OldestDue : due);
        }

        await using var db = database.CreateContext();

        // The status as a literal, so that the claim index serves; ordered as it is, so that its front is what is read.
        var own = await db.Queues.Where(q => q.DefinitionId != null)
            .Where(q => db.Steps.Any(s => s.QueueId == q.Id && s.Status == (short)StepStatus.Ready))
            .Select(q => new
            {
                DefinitionId = q.DefinitionId!.Value,
                Depth = db.Steps.Where(s => s.QueueId == q.Id && s.Status == (short)StepStatus.Ready).OrderBy(s => s.Rank).Take(Bound).Count(s => s.Due <= now),
                Oldest = db.Steps.Where(s => s.QueueId == q.Id && s.Status == (short)StepStatus.Ready).OrderBy(s => s.Rank).Take(Bound).Min(s => (long?)s.Due),
            })
            .ToListAsync(ct);
        foreach (var queue in own) Add((await definitions.GetAsync(queue.DefinitionId, ct)).Name, queue.Depth, queue.Oldest);

        var shared = await db.Queues.Where(q => q.DefinitionId == null && db.Steps.Any(s => s.QueueId == q.Id && s.Status == (short)StepStatus.Ready))
            .OrderBy(q => q.Id).Select(q => q.Id).Take(LabelQueues).ToListAsync(ct);
        foreach (var queue in shared)
        {
            var waiting = await db.Steps.Where(s => s.QueueId == queue && s.Status == (short)StepStatus.Ready && s.Rank <= now && s.Due <= now)
                .OrderBy(s => s.Rank).Take(Bound)
                .Join(db.Runs, s => s.RunId, r => r.Id, (s, r) => new { r.Workflow, s.Due })
                .GroupBy(s => s.Workflow).Select(g => new { Workflow = g.Key, Depth = g.Count(), Oldest = g.Min(s => s.Due) })
                .ToListAsync(ct);
            foreach (var found in waiting) Add(found.Workflow, found.Depth, found.Oldest);
        }

        return ([.. depths.Values.OrderByDescending(d => d.Depth).ThenBy(d => d.Workflow, StringComparer.Ordinal)], at);
    }

    public async Task<StepFacts> OfStepAsync(RunView run, StepDefinition step, CancellationToken ct, StepState? item = null)
    {
        var now = await database.NowAsync(ct);
        var state = item ?? run.Steps.FirstOrDefault(s => s.Index == step.Index);
        if (state is not { Status: StepStatus.Ready }) return new(now, null, 0);

        await workers.FlushAsync(ct);
        var definitionId = await definitions.IdOfAsync(run.Definition, ct);
        await using var db = database.CreateContext();
        var kind = (short)(!step.IsClaimedByLabels ? WorkerKind.Registered : WorkerKind.Labelled);
        var seen = await db.Workers.Where(w => w.Kind == kind).OrderByDescending(w => w.SeenAt).Take(Workers)
            .Select(w => new { w.Definitions, w.Labels, w.Workflows, w.SeenAt }).ToListAsync(ct);
        var able = seen.Find(w =>
            (step.IsClaimedByLabels || JsonSerializer.Deserialize<int[]>(w.Definitions)!.Contains(definitionId))
            && (w.Workflows is null || JsonSerializer.Deserialize<string[]>(w.Workflows)!.Contains(run.Ref.Workflow))
            && (step.RequiredLabels.IsEmpty || step.RequiredLabels.All(JsonSerializer.Deserialize<HashSet<string>>(w.Labels)!.Contains)));
        return new(now, Instants.FromMicros(able?.SeenAt), await AheadAsync(db, run, state, definitionId, now.ToMicros(), ct));
    }

    private async Task<int> AheadAsync(BrokerDb db, RunView run, StepState state, int definitionId, long now, CancellationToken ct)
    {
        await queues.LearnAsync(run.Definition, definitionId, ct);
        var (queue, index, id) = (queues.Of(run.Definition.RulesOf(state.Index), definitionId, run.Priority).Id, state.Index, run.Ref.Id);
        var own = await db.Steps.Where(s => s.RunId == id && s.Idx == index).Select(s => new { s.Rank, s.Due }).SingleOrDefaultAsync(ct);
        if (own is null) return 0;
        var (rank, due) = (own.Rank, own.Due);
        return await db.Steps
            .Where(s => s.QueueId == queue && s.Status == (short)StepStatus.Ready && s.Rank <= rank && s.Due <= now)
            .Where(s => s.Rank < rank || s.Due < due || (s.Due == due && s.Idx < index))
            .OrderBy(s => s.Rank).Take(Bound).CountAsync(ct);
    }
}
