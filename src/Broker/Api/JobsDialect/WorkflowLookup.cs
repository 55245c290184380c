using Broker.Core.Runs;
using Broker.Engine;

namespace Broker.Api.JobsDialect;

/// <summary>
/// Meaning of an id of this dialect. A workflow here is a definition and, under the same id, one instance of it. Runs that were started
/// in other dialects are found by instance id, or as <c>WORKFLOW~INSTANCE</c>.
/// </summary>
internal static class WorkflowLookup
{
    /// <summary>How workers of this dialect know the workflow of a run.</summary>
    public static string WorkerName(RunRef run) => run.InstanceId == run.Workflow ? run.Workflow : $"{run.Workflow}~{run.InstanceId}";

    /// <summary>A workflow with its last started run, or one run by the id of its instance; null when there is neither.</summary>
    public static async Task<WorkflowView?> FindAsync(BrokerEngine engine, string id, CancellationToken ct)
    {
        if (!JobIds.MayExist(id)) return null;
        if (await engine.LatestAsync(id, ct) is { } latest) return WorkflowView.Of(latest, await engine.History.LatestOfAsync(id, ct));
        return await engine.FindRunAsync(id, ct) is { } run ? new(id, run.Definition, run) : null;
    }

    /// <summary>The numbered run of what the id addresses: of the workflow's own instance, or of the instance. Without a number the run that <c>/status</c> shows.</summary>
    public static async Task<RunView?> FindRunAsync(BrokerEngine engine, string id, int? number, CancellationToken ct)
    {
        if (!JobIds.MayExist(id)) return null;
        if (await engine.LatestAsync(id, ct) is not null) return await (number is null ? engine.History.LatestOfAsync(id, ct) : engine.FindRunAsync(id, id, ct, number));
        if (await engine.FindRunAsync(id, ct) is not { } run) return null;
        return number is null || number == run.Ref.Number ? run : await engine.FindRunAsync(run.Ref.Workflow, run.Ref.InstanceId, ct, number);
    }

    /// <summary>
    /// The runs that the id addresses: the workflow's own instance, also while <c>/status</c> shows a newer run that another dialect started; else
    /// the active runs of every instance with that id, of which <c>/status</c> shows the newest; else exactly <c>WORKFLOW~INSTANCE</c>. Null: no
    /// such workflow or instance.
    /// </summary>
    public static async Task<IReadOnlyList<RunRef>?> RunsOfAsync(BrokerEngine engine, string id, CancellationToken ct)
    {
        if (!JobIds.MayExist(id)) return null;
        if (await engine.LatestAsync(id, ct) is not null) return await engine.FindRunAsync(id, id, ct) is { } own ? [own.Ref] : [];
        if (await engine.FindRunAsync(id, ct) is not { } run) return null;
        return run.Ref.InstanceId == id ? await engine.History.ActiveOfInstanceAsync(id, ct) : [run.Ref];
    }

    /// <summary>The run that a worker's claim was made for: of the instance it names, not the last started one of the workflow.</summary>
    public static async Task<WorkflowView?> FindClaimedAsync(BrokerEngine engine, string workflow, CancellationToken ct)
    {
        if (!JobIds.MayExist(workflow)) return null;
        var run = await engine.FindRunAsync(workflow, workflow, ct);
        return run is null ? await FindAsync(engine, workflow, ct) : new(workflow, run.Definition, run);
    }

    /// <summary>The name that a workflow's log chunks are filed under.</summary>
    public static async Task<string> LogNameAsync(BrokerEngine engine, string id, CancellationToken ct)
    {
        if (id.Contains('~', StringComparison.Ordinal) || await engine.LatestAsync(id, ct) is not null) return id;
        return await engine.FindRunAsync(id, ct) is { } run ? WorkerName(run.Ref) : id;
    }
}
