using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Orders of operators about single steps (invariant 27).</summary>
public sealed partial class RunSession
{
    /// <summary>Ends an active step, or makes it claimable at once. The lease of its worker counts no more. The caller must have loaded the active steps and the inbox.</summary>
    public HandVerdict ByHand(int index, HandOrder order, DateTimeOffset now)
    {
        if (Run.IsTerminal) return HandVerdict.RunTerminal;
        if (!steps.TryGetValue(index, out var step) || !step.IsActive) return HandVerdict.NotActive;
        var verdict = StepMachine.ByHand(step, order, Definition(index), BeginOf(now), now);
        if (!verdict.Accepted) return HandVerdict.NoChange;

        Set(verdict.Next);
        Touch(now);
        Note(verdict);
        Run = Run with { StartedAt = Run.StartedAt ?? step.BegunAt };
        After(step, verdict.Next, now);
        return HandVerdict.Done;
    }
}
