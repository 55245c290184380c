using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Core.Explanations;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Operators.Where;
using Broker.Storage.Contracts;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int ExplainedRuns = 1000;
    private const int ExplainedSteps = 5000;
    private const int ExplainedStepsOfRun = 200;

    public async Task<RunExplanation> ExplainRunAsync(RunAddress run, CancellationToken ct)
    {
        var view = await FindAsync(run, ct);
        var open = await steps.OpenAsync([view.Ref.Id], ExplainedStepsOfRun, ct);
        var pending = BoardOf(view).Count(step => step.Fate is Core.Graphs.Fate.Open);
        return new(RunWords.Of(view.Status), await GroupsAsync(open, ct), pending, open.Count, view.Steps.Count(s => s.Status is StepStatus.Ready or StepStatus.Leased or StepStatus.Waiting));
    }

    public async Task<RunsExplanation> ExplainAsync(RunQuery query, CancellationToken ct)
    {
        var where = query.Where.And("status", WhereOperator.Equal, new WhereValue("active", IsQuoted: false));
        var filter = RunFilterReader.Of(where, engine.Now, Caller.Current.Limit);
        var (runs, isAll, asOf) = await search.IdsAsync(filter, ExplainedRuns, ct);
        var open = await steps.OpenAsync(runs, ExplainedSteps, ct);
        return new(await GroupsAsync(open, ct), runs.Count, isAll && open.Count < ExplainedSteps, asOf);
    }

    private async Task<IReadOnlyList<CauseGroup>> GroupsAsync(IReadOnlyList<OpenStep> open, CancellationToken ct)
    {
        var now = engine.Now;
        var ready = open.Where(step => step.State.Status is StepStatus.Ready).ToList();
        var able = (await steps.WorkersAbleAsync(ready, SilentAfter, ct)).Zip(ready).ToDictionary(pair => (pair.Second.Run.Id, pair.Second.State.Index), pair => pair.First);
        var causes = open.Select(step => (Step: step, Cause: CauseOf(step, able.GetValueOrDefault((step.Run.Id, step.State.Index)), holds.Maintenance, now)));
        return
        [
            .. causes.GroupBy(found => found.Cause.Key).Select(group => GroupOf([.. group]))
                .OrderByDescending(group => group.Runs).ThenBy(group => group.Code, StringComparer.Ordinal).ThenBy(group => group.Message, StringComparer.Ordinal),
        ];
    }

    private static CauseGroup GroupOf(IReadOnlyList<(OpenStep Step, OpenCause Cause)> found)
    {
        var cause = found[0].Cause;
        return new()
        {
            Code = cause.Code,
            Message = cause.Message,
            Advice = cause.Advice,
            Runs = found.Select(f => f.Step.Run.Id).Distinct().Count(),
            Steps = found.Count,
            Since = found.Min(f => f.Cause.Since),
            Until = found.Min(f => f.Cause.Until),
            Labels = cause.Labels,
            Event = cause.Event,
            Workflows = [.. found.Select(f => f.Step.Run.Workflow).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(5)],
            Sample = [.. found.Take(5).Select(f => new StepAddress(f.Step.Run.Workflow, f.Step.Run.InstanceId, f.Step.Run.Number, f.Step.Step.Name))],
        };
    }

    private static OpenCause CauseOf(OpenStep step, AbleWorkers able, Hold? maintenance, DateTimeOffset now)
    {
        var state = step.State;
        if (step.Phase is RunPhase.Paused or RunPhase.Pausing && state.Status is not StepStatus.Leased)
            return new("run_paused", "The run is paused.") { Advice = "Resume the run.", Since = null };

        return state.Status switch
        {
            StepStatus.Leased when state.ExpiresAt <= now => new("lease_expired", "A worker let its lease run out; the lease will be collected.") { Since = state.ExpiresAt },
            StepStatus.Leased => new("leased", "A worker runs the step.") { Since = state.GrantedAt, Until = state.ExpiresAt },
            StepStatus.Waiting when step.Step.Kind is StepKind.Sleep => new("sleeping", "The step sleeps.") { Since = state.BegunAt, Until = state.Due },
            StepStatus.Waiting when step.Step.Kind is StepKind.Map => new("waiting_for_items", "The step waits for its items.") { Since = state.BegunAt },
            StepStatus.Waiting => new("waiting_for_event", $"The step waits for the event '{step.Step.EventType}'.")
            {
                Event = step.Step.EventType,
                Advice = $"Send the event '{step.Step.EventType}'.",
                Since = state.BegunAt,
                Until = state.Due,
            },
            _ when maintenance is not null => new("maintenance", $"The broker is in maintenance{(maintenance.Reason is { } reason ? $": {reason}" : "")}.") { Advice = "End the maintenance.", Since = maintenance.At },
            _ when able.Fresh == 0 => NoWorker(step, able),
            _ when state.Due > now => new("delayed", "The step waits for its due time.") { Since = state.QueuedAt, Until = state.Due },
            _ => new("queued", "Able workers are there, and none has taken the step yet.") { Since = state.Due },
        };
    }

    private static OpenCause NoWorker(OpenStep step, AbleWorkers able)
    {
        var needed = NeededWorker.Of(step.Step, $"workflow '{step.Run.Workflow}'");
        return new("no_worker", able.SeenAt is null ? NeededWorker.Never(needed) : NeededWorker.NotSeen(needed, "lately"))
        {
            Labels = step.Step.RequiredLabels,
            Advice = NeededWorker.Advice(needed),
            Since = step.State.Due,
        };
    }

    /// <summary>Cause of one open step, as far as groups need it.</summary>
    private sealed record OpenCause(string Code, string Message)
    {
        public string? Advice { get; init; }
        public IReadOnlyList<string>? Labels { get; init; }
        public string? Event { get; init; }
        public DateTimeOffset? Since { get; init; }
        public DateTimeOffset? Until { get; init; }

        public (string, string) Key => (Code, Message);
    }
}
