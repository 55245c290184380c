using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Lanes;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class RunStore(IEngine engine, LaneSet lanes, IDefinitionStore definitions, QueueRegistry queues) : IRunStore
{
    public async Task<IReadOnlyList<StartOutcome>> StartAsync(IReadOnlyList<StartRequest> starts, CancellationToken ct)
    {
        // Outside the transaction: new steps are put into queues by what is known here.
        foreach (var start in starts) await queues.EnsureAsync(start.Definition, await definitions.UseAsync(start.Definition, ct), ct);
        return await lanes.RunAsync(new StartWork(starts) { Cancelled = ct }, ct);
    }

    public async Task<(ControlVerdict Verdict, RunRef? Run)> ControlAsync(string workflow, string instanceId, ControlCommand command, CancellationToken ct) =>
        await lanes.RunAsync(new ControlWork(new(workflow, instanceId, null), command), ct);

    public async Task<(SendVerdict Verdict, RunStatus Before)> SendAsync(
        string workflow, string instanceId, string type, string? payloadJson, string? targetStep, Delivery delivery, CancellationToken ct, string? eventId = null) =>
        await lanes.RunAsync(new SendWork(new(workflow, instanceId, null), type, payloadJson, targetStep, delivery, eventId), ct);

    public async Task<int> ExpireLeasesAsync(int batch, CancellationToken ct)
    {
        var now = (await engine.NowOrBeforeAsync(ct)).ToMicros();
        await using var db = engine.CreateContext();

        // Reads the index of leased steps, which is as small as the number of live leases.
        var expired = await db.Steps.Where(s => s.Status == (short)StepStatus.Leased && s.ExpiresAt <= now)
            .OrderBy(s => s.ExpiresAt).Take(batch).Select(s => new { s.RunId, s.Idx, s.Fence }).ToListAsync(ct);
        var done = await lanes.RunAsync(expired.Select(e => new ExpireWork(new(e.RunId, e.Idx), e.Fence ?? -1)).ToList(), ct);
        var count = done.Count(d => d);
        StorageMetrics.LeaseLosses.Add(count);
        return count;
    }

    public async Task<int> FinishDueAsync(int batch, CancellationToken ct)
    {
        var now = (await engine.NowOrBeforeAsync(ct)).ToMicros();
        await using var db = engine.CreateContext();

        // A paused run's timers stay where they are until it is resumed: they must not fill the batch.
        var due = await db.Steps.Where(s => s.Status == (short)StepStatus.Waiting && s.Due <= now)
            .Where(s => db.Runs.Any(r => r.Id == s.RunId && r.Phase == (short)RunPhase.Active))
            .OrderBy(s => s.Due).Take(batch).Select(s => new { s.RunId, s.Idx }).ToListAsync(ct);
        var done = await lanes.RunAsync(due.Select(d => new DueWork(new(d.RunId, d.Idx))).ToList(), ct);
        return done.Count(d => d);
    }
}
