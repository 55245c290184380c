using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Contracts;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const string ForPeople = "people";

    public async Task<Listing<WorkflowSummary>> ListWorkflowsAsync(string? contains, string? cursor, int limit, CancellationToken ct)
    {
        var list = ListPage.Read(cursor, $"workflows {contains}", 1);
        var after = (int)Math.Clamp(list.Place?.Numbers[0] ?? 0, 0, int.MaxValue);
        var heads = new List<DefinitionHead>();
        var isMore = false;
        await foreach (var head in engine.DefinitionsAsync(ct, after, list.IsBackward))
        {
            if (contains is not null && !head.Name.Contains(contains, StringComparison.OrdinalIgnoreCase)) continue;
            if (isMore = heads.Count == limit) break;
            heads.Add(head);
        }

        var last = await engine.History.LatestOfAsync([.. heads.Select(head => head.Name)], ct);
        var items = new List<(int Place, WorkflowSummary Workflow)>(heads.Count);
        foreach (var head in heads)
        {
            var definition = await engine.DefinitionAsync(head, ct);
            var run = last.GetValueOrDefault(head.Name);
            items.Add((head.Place, new(
                head.Name, definition.Version, KindOf(definition), definition.Steps.Length, definition.Jobs?.FromFile is true,
                run is null ? null : new(run.Ref.InstanceId, run.Ref.Number, RunWords.Of(run.Status), run.QueuedAt),
                InfoOf(holds.OfStarts(head.Name)))));
        }

        return list.Of(items, item => new(item.Place), item => item.Workflow, isMore, engine.Now);
    }

    public async Task<WorkflowDetail> GetWorkflowAsync(string workflow, string? version, CancellationToken ct)
    {
        var latest = await engine.DefinedAsync(workflow, ct) ?? throw OperatorException.NotFound($"There is no workflow '{workflow}'.");
        var stored = await definitions.FindAsync(workflow, version ?? latest.Version, ct)
            ?? throw OperatorException.NotFound($"There is no version '{version}' of workflow '{workflow}'.");
        var definition = await definitions.GetAsync(stored, ct);
        return new()
        {
            Name = definition.Name,
            Version = definition.Version,
            IsLatest = definition.Version == latest.Version,
            Fingerprint = definition.Fingerprint,
            Kind = KindOf(definition),
            RegisteredAt = stored.RegisteredAt,
            StartsPaused = InfoOf(holds.OfStarts(definition.Name)),
            Steps =
            [
                .. definition.Steps.Select(step => new WorkflowStep(
                    step.Name, RunWords.Of(step.Kind), [.. step.Predecessors.Select(index => definition.Steps[index].Name)], step.RequiredLabels, step.Retry.MaxRetries, step.EventType)),
            ],
            Start = definition.Inputs is { } inputs ? new(definition.Events.StartEvent.Name, InputSchema.Of(inputs)) : EventOf(definition.Events.StartEvent),
            Events = [.. definition.Events.All.Select(EventOf)],
            Document = new(definition.Document),
        };
    }

    public async Task<Listing<WorkflowVersion>> ListVersionsAsync(string workflow, CancellationToken ct)
    {
        var latest = await engine.DefinedAsync(workflow, ct) ?? throw OperatorException.NotFound($"There is no workflow '{workflow}'.");
        var versions = await definitions.VersionsAsync(workflow, Limits.LargestPage, ct);
        return new([.. versions.Select(v => new WorkflowVersion(v.Version, v.Version == latest.Version, v.RegisteredAt, v.FromFile, v.Withdrawn))], null, engine.Now);
    }

    public async Task<Listing<WaitingStep>> ListWaitingAsync(WaitQuery query, CancellationToken ct)
    {
        var list = ListPage.Read(query.Cursor, $"waiting {query.For} {query.Overdue} {string.Join(',', query.Types)} {string.Join(',', query.Workflows)}", 3);
        var place = list.Place?.Numbers;
        var workflows = query.Workflows.Count > 0 ? [.. query.Workflows.Where(Caller.Current.Knows)] : Caller.Current.Limit;
        var filter = new WaitFilter(
            workflows, query.Types.Count > 0 ? query.Types : null, query.For is null ? null : query.For == ForPeople, query.Overdue ? engine.Now : null);
        var after = place is null ? (WaitPlace?)null : new(InstantOf(place[0]), place[1], (int)place[2]);
        var found = await steps.WaitsAsync(filter, after, query.Limit, ct, list.IsBackward);
        static ListPlace PlaceOf(DateTimeOffset due, long runId, int index) => new(MicrosOf(due), runId, index);
        return list.Of(
            found.Rows, wait => PlaceOf(wait.State.Due, wait.Run.Id, wait.State.Index), wait => WaitingOf(wait, found.Now), found.Next is { } end ? PlaceOf(end.Due, end.RunId, end.Index) : null,
            found.Now, !found.IsCut);
    }

    private static WaitingStep WaitingOf(OpenStep wait, DateTimeOffset now)
    {
        var known = wait.Definition.Events.Find(wait.Step.EventType!);
        return new(
            wait.Run.Workflow, wait.Run.InstanceId, wait.Run.Number, wait.Step.Name, wait.Step.EventType!, wait.Definition.Events.IsForPeople(wait.Step.EventType!), wait.State.BegunAt, wait.State.Due,
            wait.State.Due <= now, wait.Phase is RunPhase.Paused or RunPhase.Pausing, new(known?.SchemaJson ?? "{}"));
    }

    private static string KindOf(WorkflowDefinition definition) => definition.Jobs is null ? "steps" : "jobs";

    private static WorkflowEvent EventOf(EventDefinition known) => new(known.Name, new(known.SchemaJson));
}
