using Broker.Core.Steps;

namespace Broker.Core.Tests.Properties;

/// <summary>Orders of operators about single steps (invariant 27).</summary>
internal sealed partial class RunDriver
{
    private void ByHand(Command command)
    {
        if (definition.Steps.Length == 0) return;
        var (index, action) = (command.Pick % definition.Steps.Length, (HandAction)(command.Detail % 5));
        var before = Run.Rows.GetValueOrDefault(index);
        var soonest = Run.Run.StartAt > now && !Run.Run.IsCancelling ? Run.Run.StartAt.Value : now;
        var (image, inbox, isOver) = (Run.Image, InboxBefore(), Run.Run.IsTerminal);
        var session = Run.Open((before is null ? Run.Active : Run.NamedAndMore(index).Concat(Run.Active)).DistinctBy(step => step.Index));
        var verdict = session.ByHand(index, new(action, "\"by hand\"", new("E", "by hand")), now);
        Run.Save(session);

        var expected = isOver ? HandVerdict.RunTerminal
            : before is not { IsActive: true } ? HandVerdict.NotActive
            : action is HandAction.RetryNow && !(before.Status is StepStatus.Ready && before.Due > soonest) ? HandVerdict.NoChange
            : action is HandAction.Release && before.Status is not StepStatus.Leased ? HandVerdict.NoChange
            : HandVerdict.Done;
        Violation.If(verdict != expected, $"invariant 27: {action} of step {index} ({before?.Status}) was {verdict}, expected {expected}");
        Violation.If(verdict is not HandVerdict.Done && Run.Image != image, "invariant 27: an order that was refused changed something");
        if (verdict is not HandVerdict.Done) return;
        if (before!.Items is not null) mapsByHand.Add((Run.Run.Id, index));
        HandChecks(action, before!, Run.Rows[index], soonest);
        NoteChecks(session, before!, action is HandAction.Fail && before!.Status is StepStatus.Leased ? AttemptOutcome.Failed : null);
        InboxChecks(inbox);
    }

    private static void HandChecks(HandAction action, StepState before, StepState after, DateTimeOffset soonest)
    {
        var status = action switch
        {
            HandAction.Complete => StepStatus.Succeeded,
            HandAction.Fail => StepStatus.Failed,
            HandAction.Skip => StepStatus.Skipped,
            HandAction.RetryNow or HandAction.Release => StepStatus.Ready,
        };
        Violation.If(after.Status != status || after.Fence is not null, $"invariant 27: {action} left step {after.Index} {after.Status}, with the fence {after.Fence}");
        if (status is not StepStatus.Ready) return;
        Violation.If((after.Attempt, after.Losses, after.QueuedAt) != (before.Attempt, before.Losses, before.QueuedAt), $"invariant 27: {action} charged step {after.Index}");
        Violation.If(after.Due != (action is HandAction.RetryNow ? soonest : before.Due), $"invariant 27: {action} made step {after.Index} due at {after.Due:O}");
    }
}
