using Broker.Core.Definitions;
using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    public async Task<Listing<StepSummary>> ListStepsAsync(RunAddress run, StepQuery query, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        var list = ListPage.Read(query.Cursor, $"steps {view.Ref.Id} {string.Join(',', query.Statuses)}", 1);
        var behind = list.Place?.Numbers[0] ?? -1;
        var board = BoardOf(view).Where(step => query.Statuses.Count == 0 || query.Statuses.Contains(RunWords.Of(step)));
        var page = (list.IsBackward ? board.Reverse().Where(step => step.Step.Index < behind) : board.Where(step => step.Step.Index > behind)).Take(query.Limit + 1).ToList();
        return list.Of(
            page.Take(query.Limit).ToList(), step => new(step.Step.Index),
            step => Fill(new StepSummary { Index = 0, Name = "", Kind = "", Status = "" }, step, Limits.ListedMessage), page.Count > query.Limit, engine.Now);
    }

    public async Task<StepStates> GetStepStatesAsync(RunAddress run, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        var words = BoardOf(view).Select(step => RunWords.Of(step)).ToList();
        var known = words.Distinct().ToList();
        return new(view.Ref.Number, RunWords.Of(view.Status), known, [.. words.Select(word => known.IndexOf(word))], engine.Now);
    }

    public async Task<StepDetail> GetStepAsync(RunAddress run, string step, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        var definition = StepOf(view, step);
        var board = BoardOf(view);
        var item = await ItemAsync(view, definition, ct);
        var shown = item is null ? board[definition.Index] : new BoardStep(definition, item, Fate.Reached);
        var state = shown.State;
        var known = await facts.OfStepAsync(view, definition, ct, item) with { MaintenanceSince = holds.Maintenance?.At, MaintenanceReason = holds.Maintenance?.Reason };
        var causes = Core.Explanations.Explanation.Of(view, definition, known, SilentAfterOf(definition), item);
        var detail = new StepDetail
        {
            Index = 0,
            Name = "",
            Kind = "",
            Status = "",
            Workflow = view.Ref.Workflow,
            Instance = view.Ref.InstanceId,
            Run = view.Ref.Number,
            RunStatus = RunWords.Of(view.Status),
            Output = state is { Status: StepStatus.Succeeded } && await steps.ResultAsync(view.Ref.Id, definition.Index, ct) is { } output ? new(output) : null,
            Progress = state is not null && await engine.History.ProgressAsync(view.Ref.Id, definition.Index, ct) is { } progress ? new(progress) : null,
            Lease = state is { Status: StepStatus.Leased, Fence: { } fence }
                ? new(LeaseId.Create(view.Ref.Id, definition.Index, fence).ToString(), state.Worker ?? "", state.GrantedAt, state.ExpiresAt)
                : null,
            Command = definition.Command,
            Labels = definition.RequiredLabels,
            MaxRetries = definition.Retry.MaxRetries,
            Event = definition.EventType,
            Predecessors = [.. definition.Predecessors.Select(index => NeighbourOf(board[index]))],
            Successors = [.. definition.Dependents.Order().Select(index => NeighbourOf(board[index]))],
            Causes = [.. causes.Select(CauseOf)],
        };
        return Fill(detail, shown, int.MaxValue);
    }

    public async Task<Listing<StepItem>> ListItemsAsync(RunAddress run, string step, StepQuery query, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        if (StepOf(view, step).Map is not { } map) throw OperatorException.NotFound($"Step '{step}' of workflow '{view.Ref.Workflow}' is no map.");
        var list = ListPage.Read(query.Cursor, $"items {view.Ref.Id} {map.Index} {string.Join(',', query.Statuses)}", 1);

        // A forged cursor may hold any number.
        var behind = (int)Math.Clamp(list.Place?.Numbers[0] ?? -1, -1, MapDefinition.MostItems);
        var page = await engine.History.ItemsAsync(view.Ref.Id, map, behind, list.IsBackward, query.Statuses.Select(RunWords.ItemStatusOf).ToHashSet(), query.Limit, ct);
        return list.Of(page.Rows, item => new(MapDefinition.NumberOf(item.Index)), item => ItemOf(map, item), page.HasMore, engine.Now);
    }

    private static StepItem ItemOf(MapDefinition map, StepState item) => new()
    {
        Number = MapDefinition.NumberOf(item.Index),
        Name = map.NameOf(item.Index),
        Status = RunWords.Of(item.Status),
        Attempt = item.Attempt,
        Worker = item.Worker,
        QueuedAt = item.QueuedAt,
        BegunAt = item.BegunAt,
        EndedAt = item.EndedAt,
        Input = item.Input is { } input ? new(input) : null,
        Output = item is { Status: StepStatus.Succeeded, Result: { } output } ? new(output) : null,
        Error = item.Status is StepStatus.Leased ? null : FailureOf(item.Error, Limits.ListedMessage),
    };

    // Null for a step of the definition; an item without a row has not begun.
    private async Task<StepState?> ItemAsync(RunView run, StepDefinition step, CancellationToken ct)
    {
        if (step.Index < StepDefinition.FirstDynamic) return null;
        return await engine.History.ItemAsync(run.Ref.Id, step.Index, ct)
            ?? throw OperatorException.NotFound($"Item '{step.Name}' of workflow '{run.Ref.Workflow}' has not begun, or the list is shorter.");
    }

    public async Task<Listing<StepAttempt>> ListAttemptsAsync(RunAddress run, string step, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        var definition = StepOf(view, step);
        var ended = await engine.History.AttemptsAsync(view.Ref.Id, definition.Index, ct);
        var state = await ItemAsync(view, definition, ct) ?? view.Steps.FirstOrDefault(s => s.Index == definition.Index);
        var attempts = ended.Select(end => new StepAttempt(end.Attempt, RunWords.Of(end.Outcome), end.Worker, end.GrantedAt, end.EndedAt, FailureOf(end.Error, int.MaxValue))).ToList();
        if (attempts.Count > 0 && state is { Status: StepStatus.Ready } && state.Due > engine.Now) attempts[^1] = attempts[^1] with { RetryAt = state.Due };
        if (state is { GrantedAt: not null, Status: StepStatus.Leased or StepStatus.Succeeded or StepStatus.Skipped })
        {
            var outcome = state.Status is StepStatus.Leased ? "running" : RunWords.Of(state.Status);
            attempts.Add(new(state.Attempt, outcome, state.Worker, state.GrantedAt, state.EndedAt, null));
        }

        return new(attempts, null, engine.Now);
    }

    private static StepDefinition StepOf(RunView run, string step) =>
        (run.Definition.IndexOfName(step) is { } index ? run.Definition.StepOf(index) : null) ?? throw OperatorException.NotFound($"There is no step '{step}' in workflow '{run.Ref.Workflow}', version '{run.Definition.Version}'.");

    private static BoardStep[] BoardOf(RunView run) => StepBoard.Of(run.Definition, run.Status, run.Steps);

    private TimeSpan SilentAfterOf(StepDefinition step) => SilentAfter(!step.IsClaimedByLabels ? Storage.Contracts.WorkerKind.Registered : Storage.Contracts.WorkerKind.Labelled);

    private static StepNeighbour NeighbourOf(BoardStep step) => new(step.Step.Name, RunWords.Of(step));

    private static T Fill<T>(T summary, BoardStep step, int longest)
        where T : StepSummary
    {
        var state = step.State;
        var isLeased = state?.Status is StepStatus.Leased;
        return (T)(summary with
        {
            Index = step.Step.Index,
            Name = step.Step.Name,
            Kind = RunWords.Of(step.Step.Kind),
            Status = RunWords.Of(step),
            Paused = state?.Paused is true,
            Attempt = state?.Attempt ?? 0,
            Losses = state?.Losses ?? 0,
            Worker = state?.Worker,
            QueuedAt = state?.QueuedAt,
            DueAt = state is { Status: StepStatus.Ready or StepStatus.Waiting, Items: null } ? state.Due : null,
            Items = state?.Items is { IsRead: true } items ? new(items.Count, state.IsTerminal ? 0 : items.Open, items.Succeeded, items.Failed, step.Step.Map!.Window) : null,
            BegunAt = state?.BegunAt,
            EndedAt = state?.EndedAt,
            LeaseUntil = isLeased ? state!.ExpiresAt : null,
            DeadlineAt = state is { IsActive: true } ? state.Deadline : null,
            Error = isLeased ? null : FailureOf(state?.Error, longest),
        });
    }

    private static StepFailure? FailureOf(StepError? error, int longest) => error is null ? null : new(error.Name, RunWords.Cut(error.Message, longest), error.ExitCode);

    private static StepCause CauseOf(Core.Explanations.Cause cause) => new()
    {
        Code = RunWords.Of(cause.Kind),
        Message = cause.Message,
        Step = cause.Step,
        State = cause.State is { } state ? RunWords.Of(state) : null,
        AnyOf = cause.AnyOf,
        Since = cause.Since,
        Until = cause.Until,
        Event = cause.Event,
        Worker = cause.Worker,
        Labels = cause.Labels,
        Attempt = cause.Attempt,
        Ahead = cause.Ahead,
        Error = cause.Error is { } error ? $"{error.Name}: {error.Message}" : null,
        RunStatus = cause.Run is { } status ? RunWords.Of(status) : null,
    };
}
