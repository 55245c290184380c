using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>Looks along the claim index and the index of leases: it costs what waits and what runs, not what was.</summary>
internal sealed class WorkFacts(IDatabase database, DefinitionCache definitions, WorkerStore workers, IPageReads pages) : IWorkFacts
{
    private const int MostQueues = 1000;
    private const int MostWorkers = 10_000;
    private const int MostLeases = 20_000;

    public async Task<(IReadOnlyList<QueueView> Queues, DateTimeOffset Now)> QueuesAsync(
        IReadOnlyList<string>? workflows, Func<WorkerKind, TimeSpan> silentAfter, CancellationToken ct)
    {
        await workers.FlushAsync(ct);
        var at = await database.NowAsync(ct);
        var now = at.ToMicros();
        var names = workflows?.Where(StorableText.Fits).ToArray();
        var (rows, offers) = await pages.RunAsync(
            async db =>
            {
                // The status as a literal, so that the claim index and the index of leases serve.
                var steps = names is null ? db.Steps : db.Steps.Where(s => db.Runs.Any(r => r.Id == s.RunId && names.Contains(r.Workflow)));
                var leased = await steps.Where(s => s.Status == (short)StepStatus.Leased).OrderBy(s => s.Fence).Take(MostLeases)
                    .GroupBy(s => s.QueueId).Select(g => new { QueueId = g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.QueueId, g => g.Count, ct);
                var busy = leased.Keys.ToArray();
                var found = await db.Queues
                    .Where(q => busy.Contains(q.Id) || db.Steps.Any(s => s.QueueId == q.Id && s.Status == (short)StepStatus.Ready))
                    .OrderBy(q => q.Id).Take(MostQueues)
                    .Select(q => new
                    {
                        Queue = q,
                        Depth = steps.Where(s => s.QueueId == q.Id && s.Status == (short)StepStatus.Ready && s.Due <= now).OrderBy(s => s.Rank).Take(IWorkFacts.Bound + 1).Count(),
                        Oldest = steps.Where(s => s.QueueId == q.Id && s.Status == (short)StepStatus.Ready && s.Due <= now).OrderBy(s => s.Rank).Take(IWorkFacts.Bound).Min(s => (long?)s.Due),
                    })
                    .AsNoTracking().ToListAsync(ct);
                var seen = await db.Workers.OrderByDescending(w => w.SeenAt).Take(MostWorkers).AsNoTracking().ToListAsync(ct);
                return (found.ConvertAll(q => (q.Queue, q.Depth, q.Oldest, Leased: leased.GetValueOrDefault(q.Queue.Id))), seen);
            },
            ct);

        var fresh = offers.Where(w => at - Instants.FromMicros(w.SeenAt) <= silentAfter((WorkerKind)w.Kind)).Select(w => new WorkerOffer(
            (WorkerKind)w.Kind, JsonColumn.Read<HashSet<int>>(w.Definitions), JsonColumn.Read<HashSet<string>>(w.Labels),
            w.Workflows is null ? null : JsonColumn.Read<HashSet<string>>(w.Workflows), Instants.FromMicros(w.SeenAt))).ToList();
        var queues = new List<QueueView>();
        foreach (var (queue, depth, oldest, leased) in rows)
        {
            if (depth == 0 && leased == 0) continue;
            var labels = JsonColumn.Read<string[]>(queue.Labels);
            var definition = queue.DefinitionId is { } id ? await definitions.GetAsync(id, ct) : null;
            queues.Add(new(
                queue.Id, definition?.Name, definition?.Version, labels, queue.Priority, Math.Min(depth, IWorkFacts.Bound), depth > IWorkFacts.Bound, Instants.FromMicros(oldest), leased,
                fresh.Count(offer => offer.Fits(queue.DefinitionId, labels))));
        }

        return (queues, at);
    }

    public async Task<WorkerCounts> CountWorkersAsync(Func<WorkerKind, TimeSpan> silentAfter, CancellationToken ct)
    {
        await workers.FlushAsync(ct);
        var now = await database.NowAsync(ct);
        var labelled = (now - silentAfter(WorkerKind.Labelled)).ToMicros();
        var registered = (now - silentAfter(WorkerKind.Registered)).ToMicros();
        return await pages.RunAsync(
            async db =>
            {
                var silent = db.Workers.Where(w => w.SeenAt < (w.Kind == (short)WorkerKind.Labelled ? labelled : registered));
                var all = await db.Workers.CountAsync(ct);
                var gone = await silent.CountAsync(ct);
                var busy = db.Steps.Where(s => s.Status == (short)StepStatus.Leased).Select(s => s.Worker).Distinct();
                return new WorkerCounts(Math.Max(0, all - gone), gone, gone == 0 ? 0 : await silent.CountAsync(w => busy.Contains(w.Id), ct));
            },
            ct);
    }

    public async Task<(IReadOnlyList<WorkerState> Workers, DateTimeOffset Now)> WorkersAsync(WorkerPlace? after, int limit, int held, CancellationToken ct, bool isBackward = false)
    {
        await workers.FlushAsync(ct);
        var (at, id) = (after?.RegisteredAt.ToMicros() ?? (isBackward ? long.MaxValue : long.MinValue), after?.Id ?? "");
        return (await ReadAsync(
            db => (isBackward
                ? db.Workers.Where(w => w.RegisteredAt <= at && (w.RegisteredAt < at || string.Compare(w.Id, id) < 0)).OrderByDescending(w => w.RegisteredAt).ThenByDescending(w => w.Id)
                : db.Workers.Where(w => w.RegisteredAt >= at && (w.RegisteredAt > at || string.Compare(w.Id, id) > 0)).OrderBy(w => w.RegisteredAt).ThenBy(w => w.Id)).Take(limit),
            held, ct), await database.NowAsync(ct));
    }

    public async Task<(WorkerState? Worker, DateTimeOffset Now)> WorkerAsync(string id, int held, CancellationToken ct)
    {
        var now = await database.NowAsync(ct);
        if (!StorableText.Fits(id)) return (null, now);
        await workers.FlushAsync(ct);
        return ((await ReadAsync(db => db.Workers.Where(w => w.Id == id), held, ct)).SingleOrDefault(), now);
    }

    private async Task<List<WorkerState>> ReadAsync(Func<BrokerDb, IQueryable<WorkerRow>> which, int held, CancellationToken ct)
    {
        var (rows, leases, names) = await pages.RunAsync(
            async db =>
            {
                var found = await which(db).AsNoTracking().ToListAsync(ct);
                var registered = found.SelectMany(w => JsonColumn.Read<int[]>(w.Definitions)).Distinct().ToArray();
                var known = await db.Definitions.Where(d => registered.Contains(d.Id)).Select(d => new { d.Id, d.Name }).ToDictionaryAsync(d => d.Id, d => d.Name, ct);
                var ids = found.Select(w => w.Id).ToArray();
                var leased = await db.Steps.Where(s => s.Status == (short)StepStatus.Leased && ids.Contains(s.Worker!)).OrderByDescending(s => s.Fence).Take(MostLeases)
                    .Join(db.Runs, s => s.RunId, r => r.Id, (s, r) => new { Step = s, r.Workflow, r.InstanceId, r.Number, r.DefinitionId, r.Phase })
                    .Select(l => new Lease(
                        l.Step.RunId, l.Step.Idx, l.Step.Fence, l.Step.Worker, l.Step.Attempt, l.Step.Losses, l.Step.QueuedAt, l.Step.Due, l.Step.GrantedAt, l.Step.ExpiresAt, l.Step.LeaseSecs, l.Step.BegunAt,
                        l.Workflow, l.InstanceId, l.Number, l.DefinitionId, l.Phase))
                    .ToListAsync(ct);
                return (found, leased.ToLookup(l => l.Worker!), known);
            },
            ct);

        var states = new List<WorkerState>(rows.Count);
        foreach (var row in rows)
        {
            var steps = new List<HeldStep>();
            foreach (var lease in leases[row.Id].OrderByDescending(l => l.GrantedAt).Take(held)) steps.Add(await HeldAsync(lease, ct));
            states.Add(StateOf(row, names) with { Leases = leases[row.Id].Count(), Held = steps });
        }

        return states;
    }

    // A definition that has expired has no name any more.
    private static WorkerState StateOf(WorkerRow row, Dictionary<int, string> names)
    {
        var workflows = new SortedSet<string>(row.Workflows is null ? [] : JsonColumn.Read<string[]>(row.Workflows), StringComparer.Ordinal);
        workflows.UnionWith(JsonColumn.Read<int[]>(row.Definitions).Where(names.ContainsKey).Select(id => names[id]));
        return new(
            row.Id, (WorkerKind)row.Kind, JsonColumn.Read<string[]>(row.Labels), [.. workflows], row.Workflows is not null, Instants.FromMicros(row.RegisteredAt), Instants.FromMicros(row.SeenAt),
            row.LastTask is null ? null : JsonColumn.Read<LastTask>(row.LastTask));
    }

    private async Task<HeldStep> HeldAsync(Lease lease, CancellationToken ct)
    {
        var state = new StepState
        {
            Index = lease.Index,
            Status = StepStatus.Leased,
            Attempt = lease.Attempt,
            Losses = lease.Losses,
            Fence = lease.Fence,
            Worker = lease.Worker,
            QueuedAt = Instants.FromMicros(lease.QueuedAt),
            Due = Instants.FromMicros(lease.Due),
            GrantedAt = Instants.FromMicros(lease.GrantedAt),
            ExpiresAt = Instants.FromMicros(lease.ExpiresAt),
            LeaseSecs = lease.LeaseSecs,
            BegunAt = Instants.FromMicros(lease.BegunAt),
        };
        var run = new RunRef(lease.RunId, lease.Workflow, lease.InstanceId, lease.Number);
        return new(new(run, await definitions.GetAsync(lease.DefinitionId, ct), (RunPhase)lease.Phase, state), LeaseId.Create(lease.RunId, lease.Index, lease.Fence!.Value));
    }

    private sealed record Lease(
        long RunId, int Index, long? Fence, string? Worker, int Attempt, int Losses, long QueuedAt, long Due, long? GrantedAt, long? ExpiresAt, int LeaseSecs, long? BegunAt,
        string Workflow, string InstanceId, int Number, int DefinitionId, short Phase);
}
