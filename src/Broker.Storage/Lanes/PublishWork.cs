using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Lanes;

internal sealed class PublishWork(LeaseId lease, IReadOnlyList<PublishedEvent> events) : Work<bool>, IRunWork
{
    public long RunId { get; set; } = lease.RunId;

    public RunName? Name => null;

    public int? StepIndex => lease.Step;

    public Needs Needs => Needs.Nothing;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        Outcome = session?.Find(lease.Step) is { Status: StepStatus.Leased } step && step.Fence == lease.Fence;
        if (Outcome) session!.Published.AddRange(events);
    }
}
