using System.Globalization;
using Broker.Core.Definitions;
using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Core.Explanations;

/// <summary>Explains why a step is not running: all causes in the stored rows, the most likely one first.</summary>
public static class Explanation
{
    /// <param name="run">The run with its reached steps.</param>
    /// <param name="step">The step in question.</param>
    /// <param name="facts">Facts that are not in the run.</param>
    /// <param name="silentAfter">A worker that was silent for longer does not count.</param>
    /// <param name="item">State of an item of a map: the run's steps have none of those.</param>
    public static IReadOnlyList<Cause> Of(RunView run, StepDefinition step, StepFacts facts, TimeSpan silentAfter, StepState? item = null)
    {
        var board = StepBoard.Of(run.Definition, run.Status, run.Steps);
        var causes = new List<Cause>();
        var state = item ?? board[step.Index].State;
        if (run.IsTerminal && state is not { IsTerminal: true }) causes.Add(Ended(run));
        if (run.Status is RunStatus.Paused or RunStatus.Pausing && state is not { IsTerminal: true }) causes.Add(Paused(run));
        causes.AddRange(state is null ? Unreached(run.Definition, step, board) : Reached(step, state, facts, silentAfter));
        if (causes.Count == 0) causes.Add(new(CauseKind.Claimable, "Nothing stands in the way: the next claim of a fitting worker gets it.") { Since = state?.Due });
        return causes;
    }

    private static Cause Ended(RunView run) => new(CauseKind.RunEnded, $"The run has ended ({Word(run.Status)}) at {Text(run.EndedAt ?? run.UpdatedAt)}.")
    {
        Run = run.Status,
        Since = run.EndedAt,
        Error = run.Error,
    };

    private static Cause Paused(RunView run) => new(
        CauseKind.RunPaused,
        run.Status is RunStatus.Paused ? "The run is paused: resume it." : "The run is being paused: it waits for a lease to end, and hands out nothing meanwhile.")
    {
        Run = run.Status,
        Since = run.UpdatedAt,
    };

    private static IEnumerable<Cause> Reached(StepDefinition step, StepState state, StepFacts facts, TimeSpan silentAfter) => state.Status switch
    {
        StepStatus.Leased => [Lease(state, facts.Now)],
        StepStatus.Waiting => [Waiting(step, state)],
        StepStatus.Ready => Ready(step, state, facts, silentAfter),
        StepStatus.Succeeded => [new(CauseKind.Succeeded, $"It succeeded at {Text(state.EndedAt)}.") { State = state.Status, Since = state.EndedAt, Worker = state.Worker, Attempt = state.Attempt }],
        StepStatus.Skipped => [new(CauseKind.Skipped, $"Its worker chose not to run it, at {Text(state.EndedAt)}.") { State = state.Status, Since = state.EndedAt, Worker = state.Worker }],
        StepStatus.Failed => [new(CauseKind.Failed, $"It failed at {Text(state.EndedAt)}: {state.Error?.Message ?? "no reason was given"}.")
        {
            State = state.Status,
            Since = state.EndedAt,
            Worker = state.Worker,
            Attempt = state.Attempt,
            Error = state.Error,
        }],
        StepStatus.Cancelled => [new(CauseKind.Cancelled, $"It was cancelled with its run at {Text(state.EndedAt)}.") { State = state.Status, Since = state.EndedAt }],
        StepStatus.NotRun => [new(CauseKind.ConditionNotMet, NotRun(step, state)) { State = state.Status, Since = state.EndedAt }],
        StepStatus.Pending => [],
    };

    private static string NotRun(StepDefinition step, StepState state) => step.When is { } condition
        ? $"It was not run: its condition {condition} was not met when the steps above had ended, at {Text(state.EndedAt)}."
        : $"It was not run: a step above did not succeed, or led elsewhere, at {Text(state.EndedAt)}.";

    private static Cause Lease(StepState state, DateTimeOffset now) => state.ExpiresAt is { } until && until <= now
        ? new(CauseKind.LeaseExpired, $"Worker {state.Worker} held it and let its lease run out at {Text(until)}; the lease will be collected.")
        {
            Worker = state.Worker,
            Since = state.GrantedAt,
            Until = until,
            Attempt = state.Attempt,
        }
        : new(CauseKind.Leased, $"It is running: leased by worker {state.Worker} until {Text(state.ExpiresAt)}.")
        {
            Worker = state.Worker,
            Since = state.GrantedAt,
            Until = state.ExpiresAt,
            Attempt = state.Attempt,
        };

    private static Cause Waiting(StepDefinition step, StepState state) => step.Kind is StepKind.Map ? Items(state)
        : step.Kind is StepKind.Sleep ? new(CauseKind.Sleeping, $"It sleeps until {Text(state.Due)}.") { Since = state.BegunAt, Until = state.Due }
        : new(CauseKind.WaitingForEvent, $"It waits for an event '{step.EventType}' until {Text(state.Due)}.") { Event = step.EventType, Since = state.BegunAt, Until = state.Due };

    private static Cause Items(StepState state)
    {
        var items = state.Items ?? MapProgress.Fresh;
        return new(CauseKind.WaitingForItems, $"It waits for its items: {items.Succeeded + items.Failed} of {Math.Max(items.Count, 0)} have ended, {items.Open} are open, {items.Failed} have failed.") { Since = state.BegunAt };
    }

    private static IEnumerable<Cause> Ready(StepDefinition step, StepState state, StepFacts facts, TimeSpan silentAfter)
    {
        if (facts.MaintenanceSince is { } since)
            yield return new(CauseKind.Maintenance, $"The broker is in maintenance and hands out nothing{(facts.MaintenanceReason is { } reason ? $": {reason}" : "")}.") { Since = since };
        if (state.Due > facts.Now)
        {
            yield return new(CauseKind.Delayed, Delay(state))
            {
                Until = state.Due,
                Attempt = state.Attempt,
                Error = state.Error,
            };
        }

        if (!(facts.Now - facts.WorkerSeenAt <= silentAfter))
        {
            yield return NoWorker(step, facts.WorkerSeenAt);
        }
        else if (facts.Ahead > 0 && !state.Paused)
        {
            yield return new(CauseKind.QueuedBehind, $"{facts.Ahead} claimable {(facts.Ahead == 1 ? "step is" : "steps are")} before it in the line.")
            {
                Ahead = facts.Ahead,
                Since = state.Due,
            };
        }
    }

    private static string Delay(StepState state) => state.BegunAt is null ? $"Its run begins at {Text(state.Due)}."
        : state.Attempt == 0 ? $"Its worker put it off; it may start again at {Text(state.Due)}."
        : $"Attempt {state.Attempt} failed; the next one may start at {Text(state.Due)}.";

    private static Cause NoWorker(StepDefinition step, DateTimeOffset? seenAt)
    {
        var needed = NeededWorker.Of(step, "this workflow");
        return new(CauseKind.NoWorker, seenAt is null ? NeededWorker.Never(needed) : NeededWorker.NotSeen(needed, $"since {Text(seenAt)}"))
        {
            Since = seenAt,
            Labels = step.RequiredLabels,
        };
    }

    private static List<Cause> Unreached(WorkflowDefinition definition, StepDefinition step, BoardStep[] board)
    {
        if (step.When is not null) return [.. step.Predecessors.Where(p => board[p].State is not { IsTerminal: true }).Select(p => Wait(board[p]))];

        var causes = new List<Cause>();
        foreach (var index in step.Plain)
        {
            var above = board[index];
            if (HasFinished(above)) continue;
            causes.Add(IsLost(above) ? Lost(above) : above.Fate is Fate.NotTaken ? Skirted(above) : Wait(above));
        }

        foreach (var group in step.AnyOf)
        {
            if (group.Members.Any(m => HasFinished(board[m]))) continue;
            var names = group.Members.Select(m => definition.Steps[m].Name).ToArray();
            causes.Add(group.Members.All(m => IsLost(board[m]))
                ? new(CauseKind.Unreachable, $"It can never start: none of {string.Join(", ", names)} can finish any more.") { AnyOf = names }
                : new(CauseKind.WaitingForAnyOf, $"It waits for one of {string.Join(", ", names)} to finish.") { AnyOf = names });
        }

        // Its predecessors have finished, and the step was not reached: a result named another branch, or a dependency was skipped.
        if (causes.Count == 0) causes.AddRange(step.Predecessors.Where(p => HasFinished(board[p])).Select(p => NotTaken(step, board[p])));
        return causes;
    }

    private static Cause Wait(BoardStep above) => new(CauseKind.WaitingForStep, $"It waits for step {above.Step.Name} ({Word(above.State?.Status)}).")
    {
        Step = above.Step.Name,
        State = above.State?.Status,
    };

    private static Cause Lost(BoardStep above) => new(
        CauseKind.Unreachable, $"It can never start: step {above.Step.Name} {(above.State is { } ended ? $"has ended ({Word(ended.Status)})" : "cannot start either")}.")
    {
        Step = above.Step.Name,
        State = above.State?.Status,
        Error = above.State?.Error,
    };

    private static Cause Skirted(BoardStep above) =>
        new(CauseKind.BranchNotTaken, $"The run went another way: step {above.Step.Name} was never reached.") { Step = above.Step.Name };

    private static Cause NotTaken(StepDefinition step, BoardStep above) => new(
        CauseKind.BranchNotTaken,
        step.NeedsSuccess && above.State is { Status: StepStatus.Skipped }
            ? $"Step {above.Step.Name} was skipped, and this one needs its success."
            : $"Step {above.Step.Name} has finished and its result leads elsewhere.")
    {
        Step = above.Step.Name,
        State = above.State?.Status,
    };

    private static bool HasFinished(BoardStep step) => step.State is { IsTerminal: true } state && !step.Step.Blocks(state);

    private static bool IsLost(BoardStep step) => step.Fate is Fate.Dead || (step.State is { } state && step.Step.Blocks(state));

    private static string Word(StepStatus? status) => status is { } known ? known.ToString().ToLowerInvariant() : "not reached yet";

    private static string Word(RunStatus status) => status.ToString().ToLowerInvariant();

    private static string Text(DateTimeOffset? at) => at is { } known ? known.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture) : "an unknown time";
}
