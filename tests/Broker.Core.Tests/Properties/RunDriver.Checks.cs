using Broker.Core.Definitions;
using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Core.Tests.Properties;

/// <summary>The invariants, numbered as in src/Broker.Core/README.md.</summary>
internal sealed partial class RunDriver
{
    private readonly Dictionary<(long Run, int Step), DateTimeOffset?> totals = [];
    private Dictionary<int, Fate> fates = [];

    private sealed record InboxImage(HashSet<int> Waiting, HashSet<long> Undelivered);

    private InboxImage InboxBefore() =>
        new([.. Run.Rows.Values.Where(s => s.Status is StepStatus.Waiting).Select(s => s.Index)], [.. Run.Undelivered.Select(m => m.Id)]);

    private string Clocks(HashSet<int>? among = null) =>
        string.Join(' ', Run.Rows.Values.Where(s => among?.Contains(s.Index) is not false).Select(s => $"{s.Index}:{s.Due:O}/{s.ExpiresAt:O}"));

    private void StartedChecks(StoredRun run)
    {
        fates = [];
        var roots = definition.Steps.Where(s => s.Predecessors.IsEmpty).Select(s => s.Index);
        Violation.If(!definition.HasConditions && !run.OfDefinition.Select(s => s.Index).Where(i => definition.Steps[i].Predecessors.IsEmpty).SequenceEqual(roots.Order()), "a new run does not begin with its roots");
        Violation.If(run.Active.Any() == run.Run.IsTerminal, "only a run without a step to run is complete at once");
    }

    private void Check()
    {
        var run = Run.Run;
        var active = Run.Active.Count();
        Violation.If(run.Active != active, $"invariant 7: the run counts {run.Active} active steps and has {active}");
        Violation.If(run.IsTerminal && active > 0, "invariant 4: a run has ended with active steps");
        Violation.If(!run.IsTerminal && active == 0 && run.HandsOut, "invariant 4: nothing is left to do and the run goes on");
        if (run.Phase is RunPhase.Succeeded or RunPhase.Failed)
        {
            var refused = Run.FinalJson is { } value && FinalValue.Fault(definition.Events, value) is not null;
            Violation.If(refused && run.Phase is RunPhase.Succeeded, "invariant 23: a run has succeeded with a value that its stop event cannot carry");
            var failed = refused || Run.OfDefinition.Any(s => s.Status is StepStatus.Failed && !definition.RulesOf(s.Index).Optional) || IsTimedOut;
            Violation.If(failed != run.Phase is RunPhase.Failed, $"invariant 4: the run is {run.Phase}, a step that failed: {failed}");
            Violation.If(failed == run.Error is null, "invariant 4: a run has an error exactly when it failed");
            Violation.If(failed == Run.ResultJson is not null, "invariant 4: a run has a final value exactly when it succeeded");
        }

        var leased = Run.Rows.Values.Any(s => s.Status is StepStatus.Leased);
        Violation.If(run.Phase is RunPhase.Pausing && !leased, "invariant 10: pausing with no lease out");
        Violation.If(run.Phase is RunPhase.Paused && leased, "invariant 10: paused with a lease out");
        foreach (var step in Run.Active)
        {
            Violation.If(step.Status is StepStatus.Ready && step.Paused == run.HandsOut, $"invariant 10: step {step.Index} is held: {step.Paused}, run {run.Phase}");
            Violation.If(step.Status is StepStatus.Leased == step.Fence is null, $"invariant 1: step {step.Index} is {step.Status} under fence {step.Fence}");
        }

        LimitChecks();
        MapChecks();
        var reached = ReferenceReadiness.Reached(definition, Run.Finishes);
        var joined = Run.OfDefinition.Where(s => s.Status is not StepStatus.NotRun && definition.RulesOf(s.Index).When is null).Select(s => s.Index).ToList();
        Violation.If(
            run.CancelledAt is null && !reached.Where(index => definition.RulesOf(index).When is null).SequenceEqual(joined),
            $"invariant 8: reached {string.Join(' ', joined)}, but from the beginning it is {string.Join(' ', reached)}");
        JoinChecks();
        if (definition.HasConditions && Run.Run.Phase is not RunPhase.Cancelled && !IsTimedOut && Run.Run.CancelledAt is null) ConditionChecks();
        CancellingChecks();
        GroupChecks();
        FateChecks();
        StatusChecks();

        var undelivered = Run.Undelivered.ToList();
        Violation.If(run.InboxCount != undelivered.Count, $"invariant 9: the run counts {run.InboxCount} undelivered events and has {undelivered.Count}");
        if (run.HandsOut)
        {
            var served = Run.Active.Where(s => undelivered.Any(m => Wants(s.Index, m))).ToList();
            Violation.If(served.Any(s => s.Status is StepStatus.Waiting), "invariant 9: a wait does not take the event that is kept for it");
        }
    }

    private void GroupChecks()
    {
        var lost = Run.OfDefinition.Where(s => s.Status is StepStatus.Failed && definition.RulesOf(s.Index).Blocks(s)).Select(s => definition.RulesOf(s.Index).FailFast).OfType<string>().ToHashSet();
        foreach (var step in Run.Active)
            Violation.If(definition.RulesOf(step.Index).FailFast is { } group && lost.Contains(group), $"invariant 26: step {step.Index} goes on though a step of its group has failed");

        // A cancel and the end of the run's time cancel steps too.
        if (Run.Run.Phase is RunPhase.Cancelled || Run.Run.CancelledAt is not null || IsTimedOut) return;
        foreach (var step in Run.OfDefinition.Where(s => s.Status is StepStatus.Cancelled))
            Violation.If(definition.RulesOf(step.Index).FailFast is not { } group || !lost.Contains(group), $"invariant 26: step {step.Index} was cancelled and no step of its group has failed");
    }

    private void ConditionChecks()
    {
        foreach (var step in definition.Steps)
        {
            var row = Run.Rows.GetValueOrDefault(step.Index);
            if (step.When is not null)
            {
                var runs = ReferenceConditions.Runs(definition, step, Run.Rows);
                Violation.If(runs is null && row is not null, $"invariant 15: step {step.Index} was decided before the steps above had ended");
                if (row is not null && HasLaterEndAbove(step, row, [])) continue;
                Violation.If(runs is { } decided && (row is null || row.Status is not StepStatus.NotRun != decided), $"invariant 15: step {step.Index} is {row?.Status}, should run: {runs}");
                continue;
            }

            var mustDrop = step.Predecessors.All(p => Run.Rows.TryGetValue(p, out var ended) && ended.IsTerminal);
            Violation.If(row is null && mustDrop && !step.Predecessors.IsEmpty, $"invariant 16: step {step.Index} can never start and is still open");
            Violation.If(row is { Status: StepStatus.NotRun } && !mustDrop, $"invariant 16: step {step.Index} was dropped and could start");
        }
    }

    private bool IsTimedOut => Run.Run.Error?.Name == StepTimeouts.RunName;

    private void LimitChecks()
    {
        Violation.If(Run.Run.IsTerminal && Run.Run.Deadline is not null, "invariant 20: a run that has ended keeps its limit");
        foreach (var step in Run.Active)
        {
            var timeouts = definition.RulesOf(step.Index).Timeouts;
            Violation.If(step.Status is StepStatus.Leased && step.ExpiresAt > step.Deadline, $"invariant 18: the lease of step {step.Index} outlives its attempt");
            Violation.If(timeouts.TotalMs is not null && !(step.Deadline <= step.TotalDeadline), $"invariant 19: step {step.Index} may go on after its total limit");
            Violation.If(
                timeouts.TotalMs is { } total && step.TotalDeadline < Run.Run.CreatedAt.AddMilliseconds(total), $"invariant 19: the total limit of step {step.Index} began too early");
            Violation.If(
                totals.TryGetValue((Run.Run.Id, step.Index), out var before) && before != step.TotalDeadline, $"invariant 19: the total limit of step {step.Index} was moved");
            totals[(Run.Run.Id, step.Index)] = step.TotalDeadline;
            Violation.If(
                definition.RulesOf(step.Index).Kind is StepKind.Task && step.Due < Run.Run.StartAt && Run.Run.CancelledAt is null, $"invariant 21: step {step.Index} may be claimed before its run begins");
        }
    }

    private AttemptOutcome? NoteOf(StepState before, ReportOutcome outcome) => outcome switch
    {
        ReportOutcome.Failed => before.Deadline <= now ? AttemptOutcome.TimedOut : AttemptOutcome.Failed,
        ReportOutcome.Cancelled => AttemptOutcome.Cancelled,
        ReportOutcome.Postponed => AttemptOutcome.Postponed,
        ReportOutcome.Succeeded or ReportOutcome.Skipped or ReportOutcome.Returned => null,
    };

    private static void NoteChecks(RunSession session, StepState before, AttemptOutcome? expected)
    {
        var noted = session.EndedAttempts.Select(a => (a.Step, a.Attempt, a.Outcome, a.Worker)).ToList();
        Violation.If(
            expected is { } outcome ? noted is not [var only] || only != (before.Index, before.Attempt, outcome, before.Worker) : noted.Count > 0,
            $"invariant 22: of step {before.Index} {string.Join(' ', noted)} was noted, expected {expected}");
    }

    private void ReadyExpiredChecks(StepState before, StepState after)
    {
        var name = before.TotalDeadline <= now ? StepTimeouts.TotalName : StepTimeouts.QueueName;
        Violation.If((after.Status, after.Error?.Name) != (StepStatus.Failed, name), $"invariant 19: a ready step at its limit is {after.Status} ({after.Error?.Name}), expected {name}");
    }

    // Below an any-of join a step may be decided while a step above is still to end.
    private bool HasLaterEndAbove(StepDefinition step, StepState row, HashSet<int> seen) => step.Predecessors.Where(seen.Add).Any(p =>
        !(Run.Rows.GetValueOrDefault(p)?.EndedAt <= row.QueuedAt) || HasLaterEndAbove(definition.RulesOf(p), row, seen));

    private void JoinChecks()
    {
        foreach (var (index, row) in Run.Rows.Where(r => r.Key < StepDefinition.FirstDynamic))
        {
            var step = definition.RulesOf(index);
            if (step.When is not null || row.Status is StepStatus.NotRun) continue;
            bool Done(int predecessor) => Run.Rows.TryGetValue(predecessor, out var ended)
                && (ended.Status is StepStatus.Succeeded
                    || (ended.Status is StepStatus.Skipped && !step.NeedsSuccess)
                    || (ended.Status is StepStatus.Failed && definition.RulesOf(predecessor).Optional));
            Violation.If(!step.Plain.All(Done), $"invariant 8: step {index} did not wait for all of its plain predecessors");
            Violation.If(!step.AnyOf.All(g => g.Members.Any(Done)), $"invariant 8: step {index} started with an any-of group unfinished");
        }
    }

    private void FateChecks()
    {
        var board = StepBoard.Of(definition, RunStatuses.Of(Run.Run.Phase, Run.Run.ResumedAt, Run.OfDefinition, now), Run.OfDefinition);
        var lost = Run.OfDefinition.Where(s => definition.RulesOf(s.Index).Blocks(s)).Select(s => s.Index).ToHashSet();
        var dead = ReferenceReadiness.Dead(definition, Run.OfDefinition.Select(s => s.Index).ToHashSet(), lost);
        foreach (var (step, state, fate) in board)
        {
            Violation.If(state is not null != fate is Fate.Reached, $"invariant 12: step {step.Index} has a row and is {fate}, or none and is reached");
            var isDead = state is null && (dead.Contains(step.Index) || Run.Run.Phase is RunPhase.Cancelled);
            Violation.If(isDead != fate is Fate.Dead, $"invariant 12: step {step.Index} is {fate}, dead by the graph: {isDead}");
            Violation.If(fate is Fate.Open && Run.Run.IsTerminal, $"invariant 12: step {step.Index} may still start in a run that has ended");
            if (fates.TryGetValue(step.Index, out var before))
                Violation.If(before != fate && before is not Fate.Open && !(before is Fate.Dead && state is { Status: StepStatus.NotRun }), $"invariant 12: the fate of step {step.Index} went from {before} to {fate}");
            fates[step.Index] = fate;
        }
    }

    private void StatusChecks()
    {
        var status = RunStatuses.Of(Run.Run.Phase, Run.Run.ResumedAt, Run.OfDefinition, now);
        var expected = Run.Run.Phase switch
        {
            RunPhase.Active => status is RunStatus.Queued or RunStatus.Running or RunStatus.Waiting,
            RunPhase.Pausing => status is RunStatus.Pausing,
            RunPhase.Paused => status is RunStatus.Paused,
            RunPhase.Succeeded => status is RunStatus.Succeeded,
            RunPhase.Failed => status is RunStatus.Failed,
            RunPhase.Cancelled => status is RunStatus.Cancelled,
        };
        Violation.If(!expected, $"a run that is {Run.Run.Phase} shows {status}");
    }

    private bool Wants(int index, InboxEvent message) =>
        definition.RulesOf(index) is { Kind: StepKind.WaitForEvent } step && step.EventType == message.Type && (message.TargetStep ?? index) == index;

    /// <summary>Checks the events that waits took in the last transaction: oldest event first, and the wait that was created first before the others.</summary>
    private void InboxChecks(InboxImage before)
    {
        var taken = Run.Inbox.Where(m => m.DeliveredAt is not null && (before.Undelivered.Contains(m.Id) || m.Id == lastEvent)).ToList();
        foreach (var message in taken.Where(m => m.DeliveredAt == now))
        {
            var taker = Run.Rows[message.ConsumedBy!.Value];
            if (!before.Waiting.Contains(taker.Index) && taker.BegunAt != now) continue;
            Violation.If(!Wants(taker.Index, message), $"invariant 9: event {message.Id} went to step {taker.Index}, which does not want it");
            Violation.If(taker.Result != WaitResult.Of(message), $"invariant 9: step {taker.Index} does not give on event {message.Id}");
            Violation.If(
                Run.Undelivered.Any(m => m.Id < message.Id && Wants(taker.Index, m)),
                $"invariant 9: step {taker.Index} took event {message.Id} before an older one");

            foreach (var older in Run.Rows.Values.Where(s => before.Waiting.Contains(s.Index) && s.BegunAt < taker.BegunAt && Wants(s.Index, message)))
            {
                var got = taken.FirstOrDefault(m => m.ConsumedBy == older.Index);
                Violation.If(
                    older.Status is StepStatus.Waiting or StepStatus.Failed || got?.Id > message.Id,
                    $"invariant 9: step {older.Index} waited longer for event {message.Id} than step {taker.Index}, which got it");
            }
        }

        foreach (var failed in Run.Rows.Values.Where(s => before.Waiting.Contains(s.Index) && s is { Status: StepStatus.Failed, Error.Name: StepEvents.WaitTimeoutName }))
            Violation.If(Run.Undelivered.Any(m => Wants(failed.Index, m)), $"invariant 11: step {failed.Index} timed out with its event kept");
    }

    private static void StepCancelledChecks(StepState before, StepState after) =>
        Violation.If(
            after != before with { Fence = null, ExpiresAt = null, Worker = null, Ahead = false },
            $"invariant 5: the report of a cancelled step changed more than its lease: {after}");

    private void ReportedChecks(StepState before, StepState after, StepReport report)
    {
        Violation.If(after.Fence is not null, "invariant 1: a lease outlived its report");
        var policy = definition.RulesOf(before.Index).Retry;
        var covers = before.Deadline <= now
            ? !policy.NotOn.Match(new StepError(StepTimeouts.AttemptName, ""))
            : report.Retryable && policy.Covers(report.Error!);
        var isRetry = report.Outcome is ReportOutcome.Failed && covers && IsRetried(before, policy);
        var expected = report.Outcome switch
        {
            ReportOutcome.Succeeded => StepStatus.Succeeded,
            ReportOutcome.Skipped => StepStatus.Skipped,
            ReportOutcome.Failed => isRetry ? StepStatus.Ready : StepStatus.Failed,
            ReportOutcome.Cancelled => StepStatus.Failed,
            ReportOutcome.Returned or ReportOutcome.Postponed => StepStatus.Ready,
        };
        Violation.If(after.Status != expected, $"step {before.Index} is {after.Status} after {report.Outcome}, expected {expected}");
        Violation.If(after.Attempt != before.Attempt + (isRetry ? 1 : 0), $"step {before.Index} went from attempt {before.Attempt} to {after.Attempt}");
        if (isRetry) Violation.If(after.Due - now != Pause(before, policy), $"a retry of step {before.Index} is due at {after.Due:O}");
        if (report.Outcome is ReportOutcome.Postponed)
        {
            Violation.If(
                (after.Due, after.Losses, after.TotalDeadline) != (now.AddMilliseconds(report.DelayMs!.Value), before.Losses, before.TotalDeadline),
                "invariant 21: work that was put off was charged, or is due at the wrong time");
        }

        if (report.Outcome is ReportOutcome.Returned)
            Violation.If((after.QueuedAt, after.Due, after.Losses) != (before.QueuedAt, before.Due, before.Losses), "work that was handed back was charged");
    }

    private static TimeSpan Pause(StepState before, RetryPolicy policy) => policy.DelayBefore(before.Attempt + 1, before.Fence!.Value / (double)LeaseId.FenceLimit);

    private bool IsRetried(StepState before, RetryPolicy policy) => before.Attempt < policy.MaxRetries && !(now + Pause(before, policy) >= before.TotalDeadline);

    private void ExpiredChecks(StepState before, StepState after)
    {
        Violation.If(after.Fence is not null, "invariant 6: a lease outlived its collection");
        if (before.Status is StepStatus.Cancelled)
        {
            StepCancelledChecks(before, after);
            return;
        }

        if (before.Ahead)
        {
            Violation.If(
                (after.Status, after.Attempt, after.Losses, after.QueuedAt, after.Due) != (StepStatus.Ready, before.Attempt, before.Losses, before.QueuedAt, before.Due),
                $"invariant 13: a lease granted ahead and not handed over was charged: {after}");
            return;
        }

        var step = definition.RulesOf(before.Index);
        if (before.Deadline <= now)
        {
            var isFinal = before.TotalDeadline <= now || step.Retry.NotOn.Names.Contains(StepTimeouts.AttemptName) || !IsRetried(before, step.Retry);
            Violation.If(after.Status is StepStatus.Failed != isFinal, $"invariant 18: an attempt at its limit left {after.Status}, expected the end: {isFinal}");
            Violation.If(!isFinal && (after.Attempt, after.Losses) != (before.Attempt + 1, before.Losses), "invariant 18: an attempt at its limit used up no retry");
            Violation.If(
                isFinal && after.Error?.Name != (before.TotalDeadline <= now ? StepTimeouts.TotalName : StepTimeouts.AttemptName), $"invariant 18: it failed with {after.Error?.Name}");
            return;
        }

        if (definition.LostLease is LostLeaseRule.UseRetry)
        {
            var again = IsRetried(before, step.Retry);
            Violation.If(after.Status is StepStatus.Ready != again, $"invariant 6: a lost lease in attempt {before.Attempt} of {step.Retry.MaxRetries + 1} left {after.Status}");
            if (again)
                Violation.If((after.Attempt, after.Due) != (before.Attempt + 1, now + Pause(before, step.Retry)), "invariant 6: a retry is due at the wrong time");
            return;
        }

        Violation.If((after.Attempt, after.Losses) != (before.Attempt, before.Losses + 1), "invariant 6: a lost lease used up a retry");
        Violation.If(after.Status is StepStatus.Ready != before.Losses < definition.MaxLeaseLosses, $"invariant 6: step {after.Index} is {after.Status} after {after.Losses} losses");
        if (after.Status is StepStatus.Ready)
            Violation.If((after.QueuedAt, after.Due) != (before.QueuedAt, before.Due), "invariant 6: a step did not go back to the front");
    }
}
