using Broker.Core.Runs;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Fails a step that no worker has taken within its limit.</summary>
internal sealed class ExpireReadyCommand : RunCommand<bool>
{
    private readonly string reason;

    /// <param name="step">The step.</param>
    /// <param name="reason">Why no worker has taken it.</param>
    public ExpireReadyCommand(StepKey step, string reason) => (RunId, StepIndex, this.reason) = (step.RunId, step.Index, reason);

    // Locked: a claim takes a ready step without the lock of its run.
    public override LoadRequirements Requirements => LoadRequirements.Lease;

    protected override void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) =>
        Outcome = session?.ExpireReady(StepIndex!.Value, reason, now) ?? false;
}
