using Broker.Core.Explanations;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>Ends what has reached a limit: ready steps that no worker took, and runs. The limit of an attempt needs none: it ends the lease.</summary>
internal sealed class TimeLimits(IDatabase database, Batcher batcher, IHistory history, QueueFacts facts)
{
    /// <summary>Fails ready steps whose limit has passed, at most a batch; returns how many.</summary>
    public async Task<int> ExpireReadyAsync(long now, int batch, CancellationToken ct)
    {
        await using var db = database.CreateContext();

        // Steps that a pause holds have another status.
        var due = await db.Steps.Where(s => s.Status == (short)StepStatus.Ready && s.Deadline != null && s.Deadline <= now)
            .OrderBy(s => s.Deadline).Take(batch).Select(s => new { s.RunId, s.Idx, s.QueueId }).ToListAsync(ct);
        if (due.Count == 0) return 0;
        var reasons = new Dictionary<int, string>();

        // Steps of one queue ask the same of a worker: what explains one explains all.
        foreach (var first in due.DistinctBy(s => s.QueueId)) reasons[first.QueueId] = await ReasonAsync(db, new(first.RunId, first.Idx), ct);
        var done = await batcher.RunAsync(due.Select(s => new ExpireReadyCommand(new(s.RunId, s.Idx), reasons[s.QueueId])).ToList(), ct);
        return done.Count(d => d);
    }

    /// <summary>Fails active runs whose limit has passed, at most a batch; returns how many.</summary>
    public async Task<int> ExpireRunsAsync(long now, int batch, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var due = await db.Runs.Where(r => r.Deadline != null && r.Deadline <= now && r.Phase == (short)RunPhase.Active)
            .OrderBy(r => r.Deadline).Take(batch).Select(r => r.Id).ToListAsync(ct);
        var done = await batcher.RunAsync(due.Select(id => new ExpireRunCommand(id)).ToList(), ct);
        return done.Count(d => d);
    }

    private async Task<string> ReasonAsync(BrokerDb db, StepKey step, CancellationToken ct)
    {
        var name = await db.Runs.Where(r => r.Id == step.RunId).Select(r => new { r.Workflow, r.InstanceId, r.Number }).SingleOrDefaultAsync(ct);
        var run = name is null ? null : await history.FindAsync(name.Workflow, name.InstanceId, name.Number, ct);
        if (run is null) return "its run is gone";
        var definition = run.Definition.Steps[step.Index];

        // A worker that was seen while the step waited counts as one that could have taken it.
        var waited = TimeSpan.FromMilliseconds(definition.Timeouts.QueueMs ?? definition.Timeouts.TotalMs ?? 0);
        return Explanation.Of(run, definition, await facts.OfStepAsync(run, definition, ct), waited)[0].Message;
    }
}
