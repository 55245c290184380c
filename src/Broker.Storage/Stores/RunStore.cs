using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Diagnostics;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class RunStore(IDatabase database, Batcher batcher, IDefinitionStore definitions, QueueCatalog queues, DueWork due) : IRunStore
{
    public async Task<IReadOnlyList<StartOutcome>> StartAsync(IReadOnlyList<StartRequest> starts, CancellationToken ct)
    {
        // Outside the transaction: new steps are put into queues by what is known here.
        foreach (var start in starts) await queues.EnsureAsync(start.Definition, await definitions.UseAsync(start.Definition, ct), ct, start.Priority);
        return await batcher.RunAsync(new StartCommand(starts) { Cancelled = ct }, ct);
    }

    public async Task<(ControlVerdict Verdict, RunRef? Run)> ControlAsync(
        string workflow, string instanceId, ControlCommand command, CancellationToken ct, int? number = null, TimeSpan grace = default, BulkItemKey? item = null) =>
        await batcher.RunAsync(new ControlRunCommand(new(workflow, instanceId, number), command) { Grace = grace, Item = item }, ct);

    public async Task<RerunOutcome> RerunAsync(RerunRequest request, CancellationToken ct, BulkItemKey? item = null) =>
        await batcher.RunAsync(new RerunCommand(request) { Item = item, Cancelled = ct }, ct);

    public async Task<(SendVerdict Verdict, RunStatus Before)> SendAsync(
        string workflow, string instanceId, string type, string? payloadJson, string? targetStep, Delivery delivery, CancellationToken ct, string? eventId = null) =>
        await batcher.RunAsync(new SendEventCommand(new(workflow, instanceId, null), type, payloadJson, targetStep, delivery, eventId), ct);

    public async Task<HandVerdict> ByHandAsync(RunRef run, string step, Func<StepDefinition, WorkflowDefinition, DateTimeOffset, HandOrder> order, CancellationToken ct) =>
        await batcher.RunAsync(new HandCommand(new(run.Workflow, run.InstanceId, run.Number), step, order) { Cancelled = ct }, ct);

    public async Task<int> ExpireLeasesAsync(int batch, CancellationToken ct)
    {
        var now = (await database.NowOrBeforeAsync(ct)).ToMicros();
        await using var db = database.CreateContext();

        // Reads the index of leased steps, which is as small as the number of live leases.
        var expired = await db.Steps.Where(s => s.Status == (short)StepStatus.Leased && s.ExpiresAt <= now)
            .OrderBy(s => s.ExpiresAt).Take(batch).Select(s => new { s.RunId, s.Idx, s.Fence }).ToListAsync(ct);
        var done = await batcher.RunAsync(expired.Select(e => new ExpireLeaseCommand(new(e.RunId, e.Idx), e.Fence ?? -1)).ToList(), ct);
        var count = done.Count(d => d);
        StorageMetrics.LeaseLosses.Add(count);
        return count;
    }

    public async Task<int> FinishDueAsync(int batch, CancellationToken ct)
    {
        var now = (await database.NowOrBeforeAsync(ct)).ToMicros();
        return await due.FinishAsync(now, batch, ct);
    }
}
