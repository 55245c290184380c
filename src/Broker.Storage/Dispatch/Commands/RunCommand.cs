using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Catalog;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>A command that the rules of one run decide.</summary>
internal abstract class RunCommand<T> : StoreCommand<T>, IRunCommand
{
    public long RunId { get; set; }

    public RunName? Name { get; init; }

    public int? StepIndex { get; protected set; }

    public virtual LoadRequirements Requirements => LoadRequirements.Nothing;

    public virtual void Locate(WorkflowDefinition definition)
    {
    }

    public override void Decide(BatchContext batch, DateTimeOffset now)
    {
        var run = batch.Runs.GetValueOrDefault(RunId);
        Apply(run, run is null ? null : batch.Sessions[run.Ref.Id], batch.Changes, now);
    }

    /// <summary>Applies the rules; null session: there is no such run.</summary>
    protected abstract void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now);
}
