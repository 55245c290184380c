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
        if (run is null || (await definitions.GetAsync(run.DefinitionId, ct)).IndexOfName(step) is not { } index) return null;
        var held = await db.Steps.Where(s => s.RunId == run.Id && s.Idx == index && s.Fence != null)
            .Select(s => new { s.Fence, s.Worker }).SingleOrDefaultAsync(ct);
        return held is { Fence: { } fence } && held.Worker == workerId ? LeaseId.Create(run.Id, index, fence) : null;
    }

    public async Task<IReadOnlyDictionary<(long Run, int Step), StepStatus>> StatusesAsync(IReadOnlyList<(long Run, int Step)> places, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        return await StatusesAsync(db, places, ct);
    }

    public async Task<IReadOnlyList<LeaseLoss>> LossesAsync(IReadOnlyList<LeaseId> lost, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var statuses = await StatusesAsync(db, [.. lost.Select(lease => (lease.RunId, lease.Step))], ct);
        return [.. lost.Select(lease => LeaseLosses.Of(Found(statuses, (lease.RunId, lease.Step))))];
    }

    public async Task<IReadOnlyList<LeaseLoss>> LossesAsync(IReadOnlyList<NamedStep> lost, CancellationToken ct)
    {
        List<(string Workflow, string Instance, int Number)> names = [.. lost.Select(NameOf)];
        var storable = names.Where(name => StorableText.Fits(name.Workflow) && StorableText.Fits(name.Instance)).ToList();
        List<string> workflows = [.. storable.Select(name => name.Workflow).Distinct()], instances = [.. storable.Select(name => name.Instance).Distinct()];
        List<int> numbers = [.. storable.Select(name => name.Number).Distinct()];
        await using var db = database.CreateContext();
        var runs = await db.Runs.Where(r => workflows.Contains(r.Workflow) && instances.Contains(r.InstanceId) && numbers.Contains(r.Number))
            .Select(r => new { r.Id, r.Workflow, r.InstanceId, r.Number, r.DefinitionId }).ToDictionaryAsync(r => (r.Workflow, r.InstanceId, r.Number), ct);

        var places = new (long Run, int Step)?[lost.Count];
        for (var i = 0; i < places.Length; i++)
        {
            if (runs.GetValueOrDefault(names[i]) is { } run && (await definitions.GetAsync(run.DefinitionId, ct)).IndexOfName(lost[i].Step) is { } step) places[i] = (run.Id, step);
        }

        var statuses = await StatusesAsync(db, [.. places.OfType<(long, int)>()], ct);
        return
        [
            .. places.Select((place, i) => place is { } found ? LeaseLosses.Of(Found(statuses, found))
                : runs.ContainsKey(names[i]) ? LeaseLoss.UnknownStep : LeaseLoss.UnknownInstance),
        ];
    }

    private static (string Workflow, string Instance, int Number) NameOf(NamedStep step)
    {
        var (instance, number) = RunRef.Split(step.WorkerInstanceId);
        return (step.Workflow, instance, number);
    }

    private static StepStatus? Found(Dictionary<(long Run, int Step), StepStatus> statuses, (long Run, int Step) place) =>
        statuses.TryGetValue(place, out var status) ? status : null;

    // By the two parts of the key: some rows of other pairs may come along.
    private static async Task<Dictionary<(long Run, int Step), StepStatus>> StatusesAsync(BrokerDb db, IReadOnlyList<(long Run, int Step)> places, CancellationToken ct)
    {
        var (runs, indexes) = (places.Select(p => p.Run).Distinct().ToList(), places.Select(p => p.Step).Distinct().ToList());
        return await db.Steps.Where(s => runs.Contains(s.RunId) && indexes.Contains(s.Idx)).Select(s => new { s.RunId, s.Idx, s.Status })
            .ToDictionaryAsync(s => (s.RunId, s.Idx), s => (StepStatus)s.Status, ct);
    }
}
