using Broker.Core.Runs;

namespace Broker.Storage.Lanes;

internal sealed class ExpireWork(StepKey step, long fence) : Work<bool>, IRunWork
{
    public long RunId { get; set; } = step.RunId;

    public RunName? Name => null;

    public int? StepIndex => step.Index;

    public Needs Needs => Needs.Lease;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) => Outcome = session?.Expire(step.Index, fence, now) ?? false;
}
