using Broker.Core.Runs;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Finishes a sleep or a wait whose time has come.</summary>
internal sealed class FinishDueCommand : RunCommand<bool>
{
    public FinishDueCommand(StepKey step) => (RunId, StepIndex) = (step.RunId, step.Index);

    public override LoadRequirements Requirements => LoadRequirements.Inbox;

    protected override void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) => Outcome = session?.FinishDue(StepIndex!.Value, now) ?? false;
}
