using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Tests.Model;

/// <summary>
/// The sequential reference: a state and a happening give the states that may follow. None: it could not have happened
/// then, or not with that answer.
/// </summary>
internal static class ReferenceModel
{
    public static IEnumerable<ModelState> After(ModelState before, Happening happening) => happening switch
    {
        Started start => Once(before, next => Start(next, start)),
        Claimed claim => Once(before, next => Claim(next, claim)),
        Reported report => Once(before, next => Verdict(next, report.RunId, rules => rules.Report(report.Step, report.Fence, report.Outcome, report.Retryable, report.Result)) == report.Verdict),
        ReportedByName report => Once(before, next => Report(next, report) == report.Verdict),
        Beat beat => Once(before, next => Heartbeat(next, beat) == beat.Verdict),
        PublishedUnder publish => Once(before, next => Publish(next, publish) == publish.Accepted),
        Sent sent => Once(before, next => Send(next, sent)),
        Controlled control => Once(before, next => Control(next, control)),
        Ordered order => Once(before, next => ByHand(next, order) == order.Verdict),
        LeaseExpired lapse => Once(before, next => ExpireLease(next, lapse) == lapse.Done),
        Unrecorded unrecorded => Once(before, next => Unrecord(next, unrecorded) == unrecorded.Done),
        MadeDue ripe => Once(before, next => MakeDue(next, ripe) == ripe.Done),
        TimedOut over => Once(before, next => TimeOut(next, over) == over.Done),
        QueueTimedOut over => Once(before, next => TimeOut(next, over) == over.Done),
        RunTimedOut over => Once(before, next => TimeOut(next, over) == over.Done),
        Collected collected => Expired(before).Concat(Expired(before, StepStatus.Cancelled).Where(s => !collected.IsAlone || before.Find(s.Run)!.Graph.HasGroups)).Select(s => With(before, s.Run, rules => rules.Collect(s.Step))),
        NothingExpired => Expired(before).Any() ? [] : [before],
        Finished => Due(before).Select(s => With(before, s.Run, rules => rules.FinishDue(s.Step)))
            .Concat(Overdue(before).Select(s => With(before, s.Run, rules => rules.ExpireReady(s.Step))))
            .Concat(OverdueRuns(before).Select(id => With(before, id, rules => rules.ExpireRun()))),
        NothingDue => Due(before).Any() || Overdue(before).Any() || OverdueRuns(before).Any() ? [] : [before],
        Looked look => before.Current(look.Instance)?.View() == look.View ? [before] : [],
        Settled settled => before.Whole() == settled.Whole ? [before] : [],
        _ => throw new ArgumentOutOfRangeException(nameof(happening), happening, "Nothing that the model knows."),
    };

    private static IEnumerable<ModelState> Once(ModelState before, Func<ModelState, bool> apply)
    {
        var next = before.Copy();
        if (apply(next)) yield return next;
    }

    private static ModelState With(ModelState before, long runId, Action<RunRules> apply)
    {
        var next = before.Copy();
        apply(new RunRules(next.Find(runId)!));
        return next;
    }

    private static bool Start(ModelState state, Started start)
    {
        var current = state.Current(start.Instance);
        var verdict = start.Mode switch
        {
            StartMode.NewInstance => current is null ? StartVerdict.Started : StartVerdict.AlreadyExists,
            StartMode.NextRun => current is null or { IsTerminal: true } ? StartVerdict.Started : StartVerdict.StillActive,
            StartMode.Continue => current switch
            {
                { IsTerminal: false } => StartVerdict.StillActive,
                { Phase: RunPhase.Succeeded } => StartVerdict.Started,
                _ => StartVerdict.NotContinuable,
            },
        };
        if (verdict != start.Verdict) return false;
        return verdict is not StartVerdict.Started || AddRun(state, start.Instance, start.RunId).Number == start.Number;
    }

    private static ModelRun AddRun(ModelState state, int instance, long runId)
    {
        var old = state.Current(instance);
        if (old is not null) new RunRules(old).Void();
        var run = new ModelRun(state.Graphs[instance], runId, old is null ? 0 : old.Number + 1);
        new RunRules(run).Start();
        state.Runs[instance].Add(run);
        return run;
    }

    private static bool Claim(ModelState state, Claimed claim)
    {
        if (claim.Grants.Count > claim.Count) return false;
        foreach (var grant in claim.Grants)
        {
            var run = state.Find(grant.RunId);
            if (run is null || !claim.Knows(run.Graph.Name) || !run.Graph.Offers(grant.Step, claim.ByLabels, claim.Gpu) || !RunRules.IsClaimable(run, grant.Step)) return false;
            if (run.Steps[grant.Step].Attempt != grant.Attempt || !Gives(run, grant)) return false;
            new RunRules(run).Grant(grant.Step, grant.Fence, claim.Worker);
        }

        // Locks of others excuse a claim that gets too little. A limited one is excused by its cursor too, which signals between brokers move; nothing else does.
        return !claim.IsAlone || claim.Limit is not null || claim.Grants.Count == claim.Count || !state.AllRuns.Any(run =>
            Enumerable.Range(0, run.Steps.Length).Any(i => run.Graph.Offers(i, claim.ByLabels, claim.Gpu) && RunRules.IsClaimable(run, i)));
    }

    private static bool Gives(ModelRun run, Grant grant) => run.Graph.Steps[grant.Step].Before.All(name =>
    {
        var step = run.Steps[run.Graph.IndexOf(name)];
        return step.Status is not (StepStatus.Succeeded or StepStatus.Skipped) || grant.Upstream.Contains($"[{name}={step.Result}]", StringComparison.Ordinal);
    });

    private static ReportVerdict Verdict(ModelState state, long runId, Func<RunRules, ReportVerdict> report) =>
        state.Find(runId) is { } run ? report(new RunRules(run)) : ReportVerdict.Stale;

    private static ReportVerdict Report(ModelState state, ReportedByName report)
    {
        var run = state.Runs[report.Instance].FirstOrDefault(r => r.Number == report.Number);
        if (run is null) return ReportVerdict.UnknownRun;
        var step = run.Steps[report.Step];
        return step.Worker == report.Worker ? new RunRules(run).Report(report.Step, step.Fence, ReportOutcome.Succeeded, false, report.Result) : ReportVerdict.Stale;
    }

    private static HeartbeatVerdict Heartbeat(ModelState state, Beat beat)
    {
        if (state.Find(beat.RunId) is not { } run) return HeartbeatVerdict.Gone;
        ref var step = ref run.Steps[beat.Step];
        if (step.Fence != beat.Fence || (step.Status is StepStatus.Cancelled ? step.Expired : step.Over)) return HeartbeatVerdict.Gone;
        (step.Expired, step.Ahead) = (false, false);
        return step.Status is StepStatus.Cancelled ? HeartbeatVerdict.Cancelled
            : run.Phase is RunPhase.Pausing or RunPhase.Paused ? HeartbeatVerdict.Paused
            : HeartbeatVerdict.Renewed;
    }

    private static bool Publish(ModelState state, PublishedUnder publish)
    {
        if (state.Find(publish.RunId) is not { } run || run.Steps[publish.Step] is not { Status: StepStatus.Leased } step || step.Fence != publish.Fence) return false;
        run.Published++;
        return true;
    }

    private static bool Send(ModelState state, Sent sent)
    {
        if (state.Current(sent.Instance) is not { } run) return sent.Verdict is SendVerdict.UnknownRun;
        return run.Status == sent.Before && new RunRules(run).Deliver(sent.Number, sent.Type, sent.Target, sent.Delivery) == sent.Verdict;
    }

    private static bool Control(ModelState state, Controlled control)
    {
        if (state.Current(control.Instance) is not { } run) return control.Verdict is ControlVerdict.UnknownRun;
        var rules = new RunRules(run);
        switch (control.Command)
        {
            case ControlCommand.Cancel:
                return rules.Cancel() == control.Verdict;
            case ControlCommand.Pause:
                return rules.Pause() == control.Verdict;
            case ControlCommand.Resume:
                return rules.Resume() == control.Verdict;
            case ControlCommand.Restart:
                rules.Cancel();
                AddRun(state, control.Instance, control.NewRunId);
                return control.Verdict is ControlVerdict.Done;
            case ControlCommand.Purge:
                state.Runs[control.Instance].Clear();
                return control.Verdict is ControlVerdict.Done;
            default:
                throw new ArgumentOutOfRangeException(nameof(control), control, "Nothing that the model knows.");
        }
    }

    private static HandVerdict ByHand(ModelState state, Ordered order) => state.Runs[order.Instance].FirstOrDefault(r => r.Number == order.Number) is { } run
        ? new RunRules(run).ByHand(order.Step, order.Action, order.Result)
        : HandVerdict.UnknownRun;

    private static bool ExpireLease(ModelState state, LeaseExpired lapse)
    {
        if (state.Find(lapse.RunId) is not { } run || run.Steps[lapse.Step].Fence != lapse.Fence) return false;
        run.Steps[lapse.Step].Expired = true;
        return true;
    }

    private static bool Unrecord(ModelState state, Unrecorded unrecorded)
    {
        if (state.Find(unrecorded.RunId) is not { } run || run.Steps[unrecorded.Step] is not { Status: StepStatus.Leased } step || step.Fence != unrecorded.Fence) return false;
        run.Steps[unrecorded.Step].Ahead = true;
        return true;
    }

    private static bool MakeDue(ModelState state, MadeDue ripe)
    {
        if (state.Find(ripe.RunId) is not { } run || run.Steps[ripe.Step] is not { Status: StepStatus.Ready or StepStatus.Waiting, Late: true }) return false;
        run.Steps[ripe.Step].Late = false;
        return true;
    }

    private static bool TimeOut(ModelState state, TimedOut over)
    {
        if (state.Find(over.RunId) is not { } run || run.Steps[over.Step] is not { Status: StepStatus.Leased } step || step.Fence != over.Fence || !run.Graph.Steps[over.Step].IsLimited) return false;
        (run.Steps[over.Step].Over, run.Steps[over.Step].Expired) = (true, true);
        return true;
    }

    private static bool TimeOut(ModelState state, QueueTimedOut over)
    {
        if (state.Find(over.RunId) is not { } run || run.Steps[over.Step] is not { Status: StepStatus.Ready } || !run.Graph.Steps[over.Step].IsLimited) return false;
        run.Steps[over.Step].Over = true;
        return true;
    }

    private static bool TimeOut(ModelState state, RunTimedOut over)
    {
        if (state.Find(over.RunId) is not { IsTerminal: false, Graph.IsLimited: true } run) return false;
        run.Over = true;
        return true;
    }

    /// <summary>
    /// The reaper looks for leased steps only. One that is cancelled before it comes to it loses its lease all the same, and no more. Another client
    /// cancels it, or its group does: a lease that the same round collected was the last of its step.
    /// </summary>
    private static IEnumerable<(long Run, int Step)> Expired(ModelState state, StepStatus status = StepStatus.Leased) =>
        state.AllRuns.SelectMany(r => r.In(status).Where(i => r.Steps[i].Expired).Select(i => (r.Id, i)));

    private static IEnumerable<(long Run, int Step)> Overdue(ModelState state) =>
        state.AllRuns.Where(r => r.HandsOut).SelectMany(r => r.In(StepStatus.Ready).Where(i => r.Steps[i].Over).Select(i => (r.Id, i)));

    private static IEnumerable<long> OverdueRuns(ModelState state) => state.AllRuns.Where(r => r is { HandsOut: true, Over: true }).Select(r => r.Id);

    private static IEnumerable<(long Run, int Step)> Due(ModelState state) =>
        state.AllRuns.Where(r => r.HandsOut).SelectMany(r => r.In(StepStatus.Waiting).Where(i => !r.Steps[i].Late).Select(i => (r.Id, i)));
}
