using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;

namespace Broker.Engine;

/// <summary>The history as a caller sees it who is limited to some workflows: the others do not exist.</summary>
internal sealed class LimitedHistory(IHistory history, Caller caller) : IHistory
{
    private readonly IReadOnlyList<string> workflows = [.. caller.Workflows!];

    public Task<RunView?> FindAsync(string workflow, string instanceId, int? number, CancellationToken ct) =>
        caller.Knows(workflow) ? history.FindAsync(workflow, instanceId, number, ct) : Task.FromResult<RunView?>(null);

    public async Task<RunView?> FindByInstanceAsync(string instanceId, CancellationToken ct)
    {
        // The newest instance of that id may be another workflow's, and hide one of these.
        RunView? newest = null;
        foreach (var workflow in workflows)
        {
            if (await history.FindAsync(workflow, instanceId, null, ct) is { } run && !(run.CreatedAt <= newest?.CreatedAt)) newest = run;
        }

        return newest;
    }

    public async Task<IReadOnlyList<RunRef>> ActiveOfInstanceAsync(string instanceId, CancellationToken ct) =>
        [.. (await history.ActiveOfInstanceAsync(instanceId, ct)).Where(run => caller.Knows(run.Workflow))];

    public Task<RunView?> LatestOfAsync(string workflow, CancellationToken ct) =>
        caller.Knows(workflow) ? history.LatestOfAsync(workflow, ct) : Task.FromResult<RunView?>(null);

    public Task<IReadOnlyDictionary<string, RunView>> LatestOfAsync(IReadOnlyList<string> workflows, CancellationToken ct) =>
        history.LatestOfAsync([.. workflows.Where(caller.Knows)], ct);

    public Task<IRunWalk> WalkAsync(IReadOnlyList<string>? workflows, RunPlace? after, CancellationToken ct) =>
        history.WalkAsync([.. (workflows ?? this.workflows).Where(caller.Knows)], after, ct);

    public Task<Page<RunView>> ListByIdAsync(string workflow, string? afterId, int limit, CancellationToken ct) =>
        caller.Knows(workflow) ? history.ListByIdAsync(workflow, afterId, limit, ct) : Nothing;

    public Task<Page<RunView>> ListByStatusAsync(
        string workflow, IReadOnlySet<RunStatus> statuses, (DateTimeOffset UpdatedAt, string Id)? after, int limit, CancellationToken ct) =>
        caller.Knows(workflow) ? history.ListByStatusAsync(workflow, statuses, after, limit, ct) : Nothing;

    // A run's id is learnt by finding the run.
    public Task<Page<StepState>> StepsAsync(long runId, (DateTimeOffset Begun, int Index)? after, bool descending, int limit, CancellationToken ct) =>
        history.StepsAsync(runId, after, descending, limit, ct);

    public Task<Page<StepState>> ItemsAsync(long runId, MapDefinition map, int behind, bool isBackward, IReadOnlySet<StepStatus> statuses, int limit, CancellationToken ct) =>
        history.ItemsAsync(runId, map, behind, isBackward, statuses, limit, ct);

    public Task<StepState?> ItemAsync(long runId, int index, CancellationToken ct) => history.ItemAsync(runId, index, ct);

    public Task<IReadOnlyList<AttemptEnd>> AttemptsAsync(long runId, int? step, CancellationToken ct) => history.AttemptsAsync(runId, step, ct);

    public Task<string?> ProgressAsync(long runId, int step, CancellationToken ct) => history.ProgressAsync(runId, step, ct);

    public Task<Page<InboxEvent>> InboundAsync(long runId, long? afterId, bool descending, int limit, CancellationToken ct) =>
        history.InboundAsync(runId, afterId, descending, limit, ct);

    public Task<Page<LogRow>> LogsAsync(
        long runId, string? level, string? category, long? afterId, bool descending, int limit, CancellationToken ct) =>
        history.LogsAsync(runId, level, category, afterId, descending, limit, ct);

    private static Task<Page<RunView>> Nothing => Task.FromResult(new Page<RunView>([], false));
}
