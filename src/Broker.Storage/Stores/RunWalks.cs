using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>Runs behind a place, in order.</summary>
internal delegate IQueryable<RunRow> RunPart(RunOrder order, RunListPlace? after);

/// <summary>Chooses the walks of a search: each is a part of the run table that one index serves.</summary>
internal static class RunWalks
{
    /// <summary>Workflows whose runs are merged by creation. With more of them, a list goes by id.</summary>
    private const int MergedWorkflows = 50;

    // The largest set of runs that is sorted by itself.
    private const int LargestSet = IRunSearch.Examined;

    // Tagged runs among which failed ones are looked for. With 3,000 the look took 0.4 s, longer than the walk along all failed runs.
    private const int FewTagged = 500;

    public static async Task<(IReadOnlyList<RunPart> Walks, bool IsById, bool IsSet)> PlanAsync(BrokerDb db, RunListRequest request, RunConditions conditions, CancellationToken ct)
    {
        var tag = conditions.IsFailedOnly ? null : conditions.Tag;
        var workflows = tag is null ? conditions.Workflows ?? await ActiveSinceAsync(db, conditions, ct) : null;

        // A list keeps the order of its first page.
        var isById = request.After?.IsById ?? (tag is null && workflows is not { Count: <= MergedWorkflows });
        if (await SetAsync(db, conditions, ct) is { } set) return ([Along(db.Runs.Where(r => set.Contains(r.Id)))], isById, IsSet: true);
        if (tag is not null) return ([.. tag.Values.Select(value => Tagged(db, conditions, tag.Name, value))], isById, IsSet: false);
        var runs = conditions.IsFailedOnly ? db.Runs.Where(r => r.Error != null) : db.Runs;
        if (isById || workflows is not { Count: <= MergedWorkflows }) return ([Along(runs)], isById, IsSet: false);
        return ([.. workflows.Select(workflow => Along(Bounded(runs.Where(r => r.Workflow == workflow), conditions)))], isById, IsSet: false);
    }

    private static RunPart Along(IQueryable<RunRow> runs) => (order, after) => order.From(runs, after);

    // In the order of the tag's own rows: else all runs with the tag would be read and sorted.
    private static RunPart Tagged(BrokerDb db, RunConditions conditions, string name, string value) => (order, after) =>
    {
        var tags = db.RunTags.Where(t => t.Name == name && t.Value == value);
        if (conditions.CreatedAfter is { } from) tags = tags.Where(t => t.CreatedAt > from);
        if (conditions.CreatedBefore is { } to) tags = tags.Where(t => t.CreatedAt < to);
        return order.From(tags, after).Join(db.Runs, t => t.RunId, r => r.Id, (t, r) => r);
    };

    // The bounds of time end the walk, so that a search is complete when it has seen them.
    private static IQueryable<RunRow> Bounded(IQueryable<RunRow> runs, RunConditions conditions)
    {
        if (conditions.CreatedAfter is { } after) runs = runs.Where(r => r.CreatedAt > after);
        if (conditions.CreatedBefore is { } before) runs = runs.Where(r => r.CreatedAt < before);
        return runs;
    }

    // One look at the end of each workflow's index.
    private static async Task<IReadOnlyList<string>?> ActiveSinceAsync(BrokerDb db, RunConditions conditions, CancellationToken ct)
    {
        if (conditions.CreatedAfter is not { } after) return null;
        var names = await db.Definitions.Select(d => d.Name).Distinct()
            .Where(name => db.Runs.Any(r => r.Workflow == name && r.CreatedAt > after)).Take(MergedWorkflows + 1).ToListAsync(ct);
        return names.Count <= MergedWorkflows ? names : null;
    }

    // Null: there is no small set that holds all fitting runs.
    private static async Task<long[]?> SetAsync(BrokerDb db, RunConditions conditions, CancellationToken ct)
    {
        if (conditions.Workers is { } workers)
        {
            // The status as a literal, so that the small index of leased steps serves.
            return await SmallAsync(db.Steps.Where(s => s.Status == (short)StepStatus.Leased && workers.Contains(s.Worker!)).OrderBy(s => s.Fence).Select(s => s.RunId), ct);
        }

        // Failed runs have an index of their own, and it may be the longer way.
        if (conditions is { IsFailedOnly: true, Tag: { } tag })
        {
            var values = tag.Values.ToArray();
            if (await SmallAsync(db.RunTags.Where(t => t.Name == tag.Name && values.Contains(t.Value)).Select(t => t.RunId), ct, FewTagged) is { } tagged) return tagged;
        }

        if (conditions.Instances is { } instances && await InstancesAsync(db, instances, ct) is { } named) return named;
        return conditions.IsActiveOnly ? await ActiveAsync(db, conditions, ct) : null;
    }

    private static async Task<long[]?> InstancesAsync(BrokerDb db, IReadOnlyList<NameMatch> instances, CancellationToken ct)
    {
        var exact = instances.Where(i => !i.IsPrefix).Select(i => i.Text).ToArray();
        var runs = await SmallAsync(db.Runs.Where(r => exact.Contains(r.InstanceId)).Select(r => r.Id), ct);
        foreach (var prefix in instances.Where(i => i.IsPrefix))
        {
            if (runs is null) return null;
            var (from, to) = (prefix.Text, RunConditions.EndOf(prefix.Text));
            var begun = await SmallAsync(
                db.Runs.Where(r => string.Compare(r.InstanceId, from) >= 0 && string.Compare(r.InstanceId, to) < 0).OrderBy(r => r.InstanceId).Select(r => r.Id), ct);
            runs = begun is null ? null : [.. runs, .. begun];
        }

        return runs;
    }

    // Every run that has not ended has a step that is ready, leased or waiting; each of these has a partial index.
    private static async Task<long[]?> ActiveAsync(BrokerDb db, RunConditions conditions, CancellationToken ct)
    {
        var parts = new List<IQueryable<long>>();
        if (conditions.MayBe(RunStatus.Queued, RunStatus.Running, RunStatus.Waiting))
            parts.Add(db.Steps.Where(s => s.Status == (short)StepStatus.Ready).OrderBy(s => s.QueueId).ThenBy(s => s.Rank).Select(s => s.RunId));
        if (conditions.MayBe(RunStatus.Running, RunStatus.Pausing))
            parts.Add(db.Steps.Where(s => s.Status == (short)StepStatus.Leased).OrderBy(s => s.Fence).Select(s => s.RunId));
        if (conditions.MayBe(RunStatus.Waiting, RunStatus.Pausing, RunStatus.Paused))
            parts.Add(db.Steps.Where(s => s.Status == (short)StepStatus.Waiting).OrderBy(s => s.Due).Select(s => s.RunId));
        if (conditions.MayBe(RunStatus.Pausing, RunStatus.Paused))
            parts.Add(db.Steps.Where(s => s.Status == StepRow.Paused).OrderBy(s => s.RunId).Select(s => s.RunId));
        var runs = new HashSet<long>();
        foreach (var part in parts)
        {
            if (await SmallAsync(part, ct) is not { } some) return null;
            runs.UnionWith(some);
        }

        return runs.Count <= LargestSet ? [.. runs] : null;
    }

    private static async Task<long[]?> SmallAsync(IQueryable<long> ids, CancellationToken ct, int most = LargestSet)
    {
        var some = await ids.Take(most + 1).ToListAsync(ct);
        return some.Count <= most ? [.. some.Distinct()] : null;
    }
}
