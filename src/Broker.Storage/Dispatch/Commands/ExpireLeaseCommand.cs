using Broker.Core.Runs;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Collects an expired lease.</summary>
internal sealed class ExpireLeaseCommand : RunCommand<bool>
{
    private readonly long fence;

    public ExpireLeaseCommand(StepKey step, long fence) => (RunId, StepIndex, this.fence) = (step.RunId, step.Index, fence);

    public override LoadRequirements Requirements => LoadRequirements.Lease;

    protected override void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) => Outcome = session?.Expire(StepIndex!.Value, fence, now) ?? false;
}
