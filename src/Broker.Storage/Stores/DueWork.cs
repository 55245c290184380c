using Broker.Core.Explanations;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>
/// Ends sleeps and waits that are due, ready steps that no worker took in time, and runs at their limit. The limit of an attempt needs none of it: it ends
/// the lease. One look finds all three, since it is made five times a second.
/// </summary>
internal sealed class DueWork(IDatabase database, Batcher batcher, IHistory history, QueueFacts facts)
{
    /// <summary>At most a batch; returns how many.</summary>
    public async Task<int> FinishAsync(long now, int batch, CancellationToken ct)
    {
        var due = await LookAsync(now, batch, ct);
        var waits = due.Where(d => d.Kind is DueKind.Wait).Select(d => new FinishDueCommand(new(d.RunId, d.Index))).ToList();
        var runs = due.Where(d => d.Kind is DueKind.Run).Select(d => new ExpireRunCommand(d.RunId)).ToList();
        var done = (await batcher.RunAsync(waits, ct)).Count(d => d);
        done += await ExpireReadyAsync([.. due.Where(d => d.Kind is DueKind.Ready)], ct);
        return done + (await batcher.RunAsync(runs, ct)).Count(d => d);
    }

    private async Task<List<Due>> LookAsync(long now, int batch, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        return await Look(db, now, batch).ToListAsync(ct);
    }

    /// <summary>
    /// Steps and runs that are due, by three small indexes. A pause keeps timers and limits where they are until the run is resumed: they must not fill the batch. It
    /// gives ready steps another status.
    /// </summary>
    internal static IQueryable<Due> Look(BrokerDb db, long now, int batch)
    {
        var waits = db.Steps.Where(s => s.Status == (short)StepStatus.Waiting && s.Due <= now)
            .Where(s => db.Runs.Any(r => r.Id == s.RunId && r.Phase == (short)RunPhase.Active))
            .OrderBy(s => s.Due).Take(batch).Select(s => new Due { Kind = DueKind.Wait, RunId = s.RunId, Index = s.Idx, QueueId = 0 });
        var ready = db.Steps.Where(s => s.Status == (short)StepStatus.Ready && s.Deadline != null && s.Deadline <= now)
            .OrderBy(s => s.Deadline).Take(batch).Select(s => new Due { Kind = DueKind.Ready, RunId = s.RunId, Index = s.Idx, QueueId = s.QueueId });
        var runs = db.Runs.Where(r => r.Deadline != null && r.Deadline <= now && r.Phase == (short)RunPhase.Active)
            .OrderBy(r => r.Deadline).Take(batch).Select(r => new Due { Kind = DueKind.Run, RunId = r.Id, Index = 0, QueueId = 0 });
        return waits.Concat(ready).Concat(runs).Take(batch);
    }

    private async Task<int> ExpireReadyAsync(List<Due> due, CancellationToken ct)
    {
        if (due.Count == 0) return 0;
        var reasons = new Dictionary<int, string>();

        // Steps of one queue ask the same of a worker: what explains one explains all.
        foreach (var first in due.DistinctBy(d => d.QueueId)) reasons[first.QueueId] = await ReasonAsync(first, ct);
        var done = await batcher.RunAsync(due.ConvertAll(d => new ExpireReadyCommand(new(d.RunId, d.Index), reasons[d.QueueId])), ct);
        return done.Count(d => d);
    }

    private async Task<string> ReasonAsync(Due step, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var name = await db.Runs.Where(r => r.Id == step.RunId).Select(r => new { r.Workflow, r.InstanceId, r.Number }).SingleOrDefaultAsync(ct);
        var run = name is null ? null : await history.FindAsync(name.Workflow, name.InstanceId, name.Number, ct);
        if (run is null) return "its run is gone";
        var definition = run.Definition.StepOf(step.Index);

        // A worker that was seen while the step waited counts as one that could have taken it.
        var waited = TimeSpan.FromMilliseconds(definition.Timeouts.QueueMs ?? definition.Timeouts.TotalMs ?? 0);
        return Explanation.Of(run, definition, await facts.OfStepAsync(run, definition, ct), waited)[0].Message;
    }

    internal enum DueKind
    {
        Wait,
        Ready,
        Run,
    }

    internal sealed class Due
    {
        public required DueKind Kind { get; init; }
        public required long RunId { get; init; }
        public required int Index { get; init; }
        public required int QueueId { get; init; }
    }
}
