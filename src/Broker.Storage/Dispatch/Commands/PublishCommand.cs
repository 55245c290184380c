using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Publishes events under a lease.</summary>
internal sealed class PublishCommand : RunCommand<bool>
{
    private readonly LeaseId lease;
    private readonly IReadOnlyList<PublishedEvent> events;

    public PublishCommand(LeaseId lease, IReadOnlyList<PublishedEvent> events) => (RunId, StepIndex, this.lease, this.events) = (lease.RunId, lease.Step, lease, events);

    protected override void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        Outcome = session?.Find(lease.Step) is { Status: StepStatus.Leased } step && step.Fence == lease.Fence;
        if (Outcome) session!.Published.AddRange(events);
    }
}
