using Broker.Core.Runs;

namespace Broker.Storage.Lanes;

internal sealed class DueWork(StepKey step) : Work<bool>, IRunWork
{
    public long RunId { get; set; } = step.RunId;

    public RunName? Name => null;

    public int? StepIndex => step.Index;

    public Needs Needs => Needs.Mail;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) => Outcome = session?.FinishDue(step.Index, now) ?? false;
}
