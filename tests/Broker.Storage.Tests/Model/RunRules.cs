using System.Text.RegularExpressions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Tests.Model;

/// <summary>
/// The rules of one run, said a second time: plainly, over all its steps, one command after the other, without counters, rows or locks.
/// Nothing here calls the product.
/// </summary>
internal sealed partial class RunRules
{
    private readonly ModelRun run;

    // Waits that this command has begun: they look for kept events when it has done everything else.
    private readonly Queue<int> fresh = [];

    public RunRules(ModelRun run)
    {
        this.run = run;
        run.Commands++;
    }

    private ModelStepState[] Steps => run.Steps;

    public void Start()
    {
        for (var i = 0; i < Steps.Length; i++)
        {
            if (!run.Graph.Steps[i].Before.Any()) Reach(i);
        }

        Settle();
    }

    /// <summary>May be handed out now.</summary>
    public static bool IsClaimable(ModelRun run, int step) => run.HandsOut && run.Steps[step] is { Status: StepStatus.Ready, Late: false };

    public void Grant(int step, long fence, string worker)
    {
        ref var state = ref Steps[step];
        (state.Status, state.Fence, state.Worker, state.Expired, state.Over) = (StepStatus.Leased, fence, worker, false, false);
        run.HasBegun = true;
    }

    public ReportVerdict Report(int step, long fence, ReportOutcome outcome, bool retryable, string? result)
    {
        ref var state = ref Steps[step];
        if (state.Fence == 0 || state.Fence != fence) return ReportVerdict.Stale;
        if (state.Status is StepStatus.Cancelled)
        {
            Release(ref state);
            return ReportVerdict.StepCancelled;
        }

        run.Published++;

        // A failure after the attempt's limit is a time-out.
        var isOver = state.Over;
        Release(ref state);
        switch (outcome)
        {
            case ReportOutcome.Succeeded:
                End(step, StepStatus.Succeeded, result);
                break;
            case ReportOutcome.Skipped:
                End(step, StepStatus.Skipped, result);
                break;
            case ReportOutcome.Failed:
                FailOrRetry(step, retryable || isOver);
                break;
            case ReportOutcome.Cancelled:
                End(step, StepStatus.Failed, null);
                break;
            case ReportOutcome.Returned:
                state.Status = StepStatus.Ready;
                break;
            case ReportOutcome.Postponed:
                (state.Status, state.Late) = (StepStatus.Ready, true);
                break;
        }

        Settle();
        return ReportVerdict.Accepted;
    }

    /// <summary>An expired lease is collected.</summary>
    public void Collect(int step)
    {
        ref var state = ref Steps[step];
        var (isCharged, isOver) = (!state.Ahead, state.Over);
        Release(ref state);
        if (state.Status is StepStatus.Cancelled) return;
        if (!isCharged)
        {
            state.Status = StepStatus.Ready;
        }
        else if (run.Graph.IsJobs || isOver)
        {
            FailOrRetry(step, retryable: true);
        }
        else
        {
            state.Losses++;
            if (state.Losses > run.Graph.MostLosses) End(step, StepStatus.Failed, null);
            else state.Status = StepStatus.Ready;
        }

        Settle();
    }

    /// <summary>No worker has taken the step in time.</summary>
    public void ExpireReady(int step)
    {
        End(step, StepStatus.Failed, null);
        Settle();
    }

    /// <summary>The run has reached its limit.</summary>
    public void ExpireRun()
    {
        Cancel();
        run.Phase = RunPhase.Failed;
    }

    /// <summary>A sleep is over or a deadline has come; a kept event beats the deadline.</summary>
    public void FinishDue(int step)
    {
        FinishWait(step);
        Settle();
    }

    public SendVerdict Deliver(int number, string type, int? target, Delivery delivery)
    {
        if (run.IsTerminal) return SendVerdict.RunTerminal;
        run.Inbox.Add(new(number, type, target, null));
        if (!run.HandsOut) return SendVerdict.Kept;
        var takers = WaitsInOrder().Where(w => Wants(w, run.Inbox[^1])).ToList();
        if (takers.Count == 0) return SendVerdict.Kept;
        foreach (var taker in delivery is Delivery.First ? takers.Take(1) : takers) Take(taker, number);
        Settle();
        return SendVerdict.Delivered;
    }

    public ControlVerdict Cancel()
    {
        if (run.IsTerminal) return ControlVerdict.Terminal;
        for (var i = 0; i < Steps.Length; i++)
        {
            // The worker of a leased step learns of it by its next heartbeat or report, so its lease stays known.
            if (IsActive(Steps[i].Status)) Steps[i].Status = StepStatus.Cancelled;
        }

        run.Phase = RunPhase.Cancelled;
        return ControlVerdict.Done;
    }

    public ControlVerdict Pause()
    {
        if (run.IsTerminal) return ControlVerdict.Terminal;
        if (!run.HandsOut) return ControlVerdict.NoChange;
        run.Phase = run.In(StepStatus.Leased).Any() ? RunPhase.Pausing : RunPhase.Paused;
        return ControlVerdict.Done;
    }

    public ControlVerdict Resume()
    {
        if (run.IsTerminal) return ControlVerdict.Terminal;
        if (run.Phase is not RunPhase.Paused) return ControlVerdict.NoChange;
        (run.Phase, run.HasBegun) = (RunPhase.Active, false);
        foreach (var ready in run.In(StepStatus.Ready).ToList()) Steps[ready].Over = false;
        foreach (var wait in WaitsInOrder().ToList())
        {
            if (Steps[wait].Status is StepStatus.Waiting && (!Steps[wait].Late || Kept(wait) is not null)) FinishWait(wait);
        }

        Settle();
        return ControlVerdict.Done;
    }

    /// <summary>An order by hand.</summary>
    public HandVerdict ByHand(int step, HandAction action, string? result)
    {
        if (run.IsTerminal) return HandVerdict.RunTerminal;
        ref var state = ref Steps[step];
        if (!IsActive(state.Status)) return HandVerdict.NotActive;
        if (action is HandAction.RetryNow && !(state.Status is StepStatus.Ready && state.Late)) return HandVerdict.NoChange;
        if (action is HandAction.Release && state.Status is not StepStatus.Leased) return HandVerdict.NoChange;
        Release(ref state);
        switch (action)
        {
            case HandAction.Complete:
                End(step, StepStatus.Succeeded, result);
                break;
            case HandAction.Fail:
                End(step, StepStatus.Failed, null);
                break;
            case HandAction.Skip:
                End(step, StepStatus.Skipped, null);
                break;
            case HandAction.RetryNow:
                state.Late = false;
                break;
            case HandAction.Release:
                state.Status = StepStatus.Ready;
                break;
        }

        Settle();
        return HandVerdict.Done;
    }

    /// <summary>A new run has taken this one's place: no lease of it is worth anything.</summary>
    public void Void()
    {
        for (var i = 0; i < Steps.Length; i++) Release(ref Steps[i]);
    }

    private static void Release(ref ModelStepState state) => (state.Fence, state.Expired, state.Worker, state.Ahead, state.Over) = (0, false, null, false, false);

    private void FailOrRetry(int step, bool retryable)
    {
        ref var state = ref Steps[step];
        var definition = run.Graph.Steps[step];
        if (!retryable || state.Attempt >= definition.Retries)
        {
            End(step, StepStatus.Failed, null);
            return;
        }

        (state.Status, state.Late) = (StepStatus.Ready, definition.RetriesLate);
        state.Attempt++;
    }

    private void End(int step, StepStatus status, string? result)
    {
        (Steps[step].Status, Steps[step].Result) = (status, result);
        if (status is StepStatus.Failed && !run.Graph.Steps[step].Optional)
        {
            run.HasFailed = true;
            CancelGroup(run.Graph.Steps[step].Group);
        }
        else
        {
            GoOn(step, status, result);
        }

        while (run.Graph.HasConditions && DecideOne())
        {
        }
    }

    private void CancelGroup(string? group)
    {
        for (var i = 0; group is not null && i < Steps.Length; i++)
        {
            if (run.Graph.Steps[i].Group == group && IsActive(Steps[i].Status)) Steps[i].Status = StepStatus.Cancelled;
        }
    }

    private bool HasLost(string? group) =>
        group is not null && run.In(StepStatus.Failed).Any(i => run.Graph.Steps[i] is { Optional: false } failed && failed.Group == group);

    private void GoOn(int step, StepStatus status, string? result)
    {
        var branches = run.Graph.Steps[step].Next;
        var branch = status is StepStatus.Succeeded && result?.Trim('"') is { } named && branches.ContainsKey(named) ? named : "default";
        foreach (var next in branches.GetValueOrDefault(branch) ?? [])
        {
            var below = run.Graph.IndexOf(next);
            if (run.Graph.Steps[below].When is null && MayStart(run.Graph.Steps[below])) Reach(below);
        }
    }

    // Graphs with conditions have plain joins only, and no branches.
    private bool DecideOne()
    {
        for (var i = 0; i < Steps.Length; i++)
        {
            var step = run.Graph.Steps[i];
            if (Steps[i].Status is not StepStatus.Pending || step.Plain.Length == 0) continue;
            var isOver = step.Plain.All(name => StatusOf(name) is StepStatus.Succeeded or StepStatus.Skipped or StepStatus.Failed or StepStatus.Cancelled or StepStatus.NotRun);
            if (!isOver) continue;
            if (step.When == "always" || (step.When == "failure" && FailedAbove(step))) Reach(i);
            else Steps[i].Status = StepStatus.NotRun;
            return true;
        }

        return false;
    }

    private bool FailedAbove(ModelStep step) => step.Plain.Any(name =>
        run.Graph.Steps[run.Graph.IndexOf(name)] is var above && ((StatusOf(name) is StepStatus.Failed && !above.Optional) || FailedAbove(above)));

    private static bool IsActive(StepStatus status) => status is StepStatus.Ready or StepStatus.Leased or StepStatus.Waiting;

    private bool IsLost(string step) => StatusOf(step) is StepStatus.NotRun or StepStatus.Cancelled || (StatusOf(step) is StepStatus.Failed && !run.Graph.Steps[run.Graph.IndexOf(step)].Optional);

    private StepStatus StatusOf(string step) => Steps[run.Graph.IndexOf(step)].Status;

    private bool MayStart(ModelStep step) => step.Plain.All(HasFinished) && (step.AnyOf.Length == 0 || step.AnyOf.Any(HasFinished));

    private bool HasFinished(string step)
    {
        var status = StatusOf(step);
        if (status is StepStatus.Failed) return !IsLost(step);
        return status is StepStatus.Succeeded || (status is StepStatus.Skipped && !run.Graph.IsJobs);
    }

    private void Reach(int step)
    {
        ref var state = ref Steps[step];
        if (state.Status is not StepStatus.Pending) return;
        var definition = run.Graph.Steps[step];
        if (HasLost(definition.Group))
        {
            state.Status = StepStatus.Cancelled;
            return;
        }

        if (definition.IsTask)
        {
            state.Status = StepStatus.Ready;
            return;
        }

        (state.Status, state.Late, state.Born) = (StepStatus.Waiting, true, run.Commands);
        run.HasBegun = true;
        if (run.HandsOut && definition.WaitsFor is not null) fresh.Enqueue(step);
    }

    private IEnumerable<int> WaitsInOrder() => run.In(StepStatus.Waiting).OrderBy(i => Steps[i].Born).ThenBy(i => i);

    private bool Wants(int wait, ModelInboxEvent mail) =>
        mail.TakenBy is null && Steps[wait].Status is StepStatus.Waiting && run.Graph.Steps[wait].WaitsFor == mail.Type && (mail.Target ?? wait) == wait;

    private int? Kept(int wait)
    {
        foreach (var mail in run.Inbox)
        {
            if (Wants(wait, mail)) return mail.Number;
        }

        return null;
    }

    private void Take(int wait, int number)
    {
        var at = run.Inbox.FindIndex(m => m.Number == number);
        run.Inbox[at] = run.Inbox[at] with { TakenBy = run.Inbox[at].TakenBy ?? wait };
        End(wait, StepStatus.Succeeded, $"#{number}");
    }

    private void FinishWait(int wait)
    {
        if (Kept(wait) is { } number) Take(wait, number);
        else End(wait, run.Graph.Steps[wait].Sleeps ? StepStatus.Succeeded : StepStatus.Failed, null);
    }

    private void Settle()
    {
        while (fresh.TryDequeue(out var wait))
        {
            if (Kept(wait) is { } number) Take(wait, number);
        }

        if (run.Phase is RunPhase.Pausing && !run.In(StepStatus.Leased).Any()) run.Phase = RunPhase.Paused;
        if (run.IsTerminal || Steps.Any(s => IsActive(s.Status))) return;
        if (run.HasFailed)
        {
            run.Phase = RunPhase.Failed;
        }
        else if (run.HandsOut)
        {
            var value = FinalValue();
            var fits = !run.Graph.TakesText || value == "null" || value[0] == '"';
            (run.Phase, run.Result) = fits ? (RunPhase.Succeeded, value) : (RunPhase.Failed, null);
        }
    }

    private string FinalValue()
    {
        var ran = run.Graph.Steps.Where((s, i) => s.Next.Count == 0 && Steps[i].Status is StepStatus.Succeeded or StepStatus.Skipped).ToList();
        string Of(ModelStep step) => Steps[run.Graph.IndexOf(step.Name)].Result ?? "null";
        return ran.Count switch
        {
            0 => "null",
            1 => Of(ran[0]),
            _ => "{" + string.Join(',', ran.Select(s => $"\"{s.Name}\":{Of(s)}")) + "}",
        };
    }

    /// <summary>A wait's result in the model's words: the number of its event.</summary>
    public static string? Short(string? result) => result is null ? null : EventNumber().Match(result) is { Success: true } match ? $"#{match.Groups[1].Value}" : result;

    [GeneratedRegex("""^\{"type":"\w+","payload":\{"event":(\d+)\}""")]
    private static partial Regex EventNumber();
}
