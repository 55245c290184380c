using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Commands of callers: cancel, pause, resume, and the end of the leases of a run that another one follows.</summary>
public sealed partial class RunSession
{
    /// <summary>Longest time that a cancel may give to steps that clean up (ms).</summary>
    public const int LongestGraceMs = 3_600_000;

    /// <summary>
    /// Ends the run. With a grace time, steps whose condition holds after a cancel run first. Then the run ends with the last of them, or when the time
    /// is over (invariant 25). The caller must have loaded the active steps.
    /// </summary>
    public ControlVerdict Cancel(DateTimeOffset now, TimeSpan grace = default)
    {
        if (Run.IsTerminal) return ControlVerdict.Terminal;
        var cleansUp = grace > TimeSpan.Zero && Run.Definition.HasConditions;
        if (cleansUp && Run.IsCancelling) return ControlVerdict.NoChange;
        foreach (var step in Active()) Set(StepMachine.Cancel(step, now));
        Run = Run with { Active = 0 };
        if (cleansUp)
        {
            var end = now + grace;
            Run = Run with { Phase = RunPhase.Active, CancelledAt = now, Deadline = Run.Deadline < end ? Run.Deadline : end };
            Touch(now);
            Decide(Enumerable.Range(0, Run.Definition.Steps.Length), now);
            Settle(now);
        }
        else
        {
            End(RunPhase.Cancelled, now);
        }

        return ControlVerdict.Done;
    }

    /// <summary>Stops handing out. The caller must have loaded the active steps and locked them against claims.</summary>
    public ControlVerdict Pause(DateTimeOffset now)
    {
        if (Run.IsTerminal) return ControlVerdict.Terminal;
        if (!Run.HandsOut) return ControlVerdict.NoChange;

        foreach (var step in Active())
        {
            if (step.Status is StepStatus.Ready) Set(step with { Paused = true });
        }

        Run = Run with { Phase = Active().Any(s => s.Status is StepStatus.Leased) ? RunPhase.Pausing : RunPhase.Paused };
        Touch(now);
        return ControlVerdict.Done;
    }

    /// <summary>Hands out again; kept events come before passed deadlines. The caller must have loaded the active steps.</summary>
    public ControlVerdict Resume(DateTimeOffset now)
    {
        if (Run.IsTerminal) return ControlVerdict.Terminal;
        if (Run.Phase is not RunPhase.Paused) return ControlVerdict.NoChange;

        Run = Run with { Phase = RunPhase.Active, ResumedAt = now };
        Touch(now);
        foreach (var step in Active())
        {
            if (step.Paused) Set(StepMachine.Unpause(step, Definition(step.Index), now));
        }

        foreach (var index in WaitingInOrder().Select(step => step.Index).ToList())
        {
            // A wait that missed its deadline has cancelled the others of its group.
            if (steps[index] is { Status: StepStatus.Waiting } waiting && (waiting.Due <= now || Oldest(waiting) is not null)) FinishWait(waiting, now);
        }

        Settle(now);
        return ControlVerdict.Done;
    }

    /// <summary>Ends the old run of a restart: its leases may no longer change anything.</summary>
    public void VoidLeases()
    {
        foreach (var step in steps.Values.Where(s => s.Fence is not null).ToList()) Set(step with { Fence = null, ExpiresAt = null, Ahead = false });
    }
}
