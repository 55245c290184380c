using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch.Commands;

internal sealed class FinishDueCommand(StepKey step) : StoreCommand<bool>, IRunCommand
{
    public long RunId { get; set; } = step.RunId;

    public RunName? Name => null;

    public int? StepIndex => step.Index;

    public LoadRequirements Requirements => LoadRequirements.Inbox;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) => Outcome = session?.FinishDue(step.Index, now) ?? false;
}
