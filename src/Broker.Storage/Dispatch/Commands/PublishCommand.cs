using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;

namespace Broker.Storage.Dispatch.Commands;

internal sealed class PublishCommand(LeaseId lease, IReadOnlyList<PublishedEvent> events) : StoreCommand<bool>, IRunCommand
{
    public long RunId { get; set; } = lease.RunId;

    public RunName? Name => null;

    public int? StepIndex => lease.Step;

    public LoadRequirements Requirements => LoadRequirements.Nothing;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        Outcome = session?.Find(lease.Step) is { Status: StepStatus.Leased } step && step.Fence == lease.Fence;
        if (Outcome) session!.Published.AddRange(events);
    }
}
