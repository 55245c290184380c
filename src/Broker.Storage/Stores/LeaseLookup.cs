using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class LeaseLookup(IDatabase database, DefinitionCache definitions) : ILeaseLookup
{
    public async Task<IReadOnlyDictionary<long, string>> WorkflowsOfAsync(IReadOnlyList<long> runs, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        return await db.Runs.Where(r => runs.Contains(r.Id)).Select(r => new { r.Id, r.Workflow }).ToDictionaryAsync(r => r.Id, r => r.Workflow, ct);
    }

    public async Task<LeaseId?> FindLeaseAsync(string workerId, string workflow, string workerInstanceId, string step, CancellationToken ct)
    {
        var (instanceId, number) = RunRef.Split(workerInstanceId);
        if (!StorableText.Fits(workflow) || !StorableText.Fits(instanceId)) return null;
        await using var db = database.CreateContext();
        var run = await db.Runs.Where(r => r.Workflow == workflow && r.InstanceId == instanceId && r.Number == number)
            .Select(r => new { r.Id, r.DefinitionId }).SingleOrDefaultAsync(ct);
        if (run is null || (await definitions.GetAsync(run.DefinitionId, ct)).Find(step) is not { } definition) return null;
        var held = await db.Steps.Where(s => s.RunId == run.Id && s.Idx == definition.Index && s.Fence != null)
            .Select(s => new { s.Fence, s.Worker }).SingleOrDefaultAsync(ct);
        return held is { Fence: { } fence } && held.Worker == workerId ? LeaseId.Create(run.Id, definition.Index, fence) : null;
    }
}
