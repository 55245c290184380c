using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>A command that the rules of one run decide.</summary>
internal abstract class RunCommand<T> : StoreCommand<T>, IRunCommand
{
    public long RunId { get; set; }

    public RunName? Name { get; init; }

    public int? StepIndex { get; protected set; }

    /// <summary>The item of an action on many runs that this command does.</summary>
    public BulkItemKey? Item { get; init; }

    public virtual LoadRequirements Requirements => LoadRequirements.Nothing;

    public virtual void Locate(WorkflowDefinition definition)
    {
    }

    public override void Decide(BatchContext batch, DateTimeOffset now)
    {
        var run = batch.Runs.GetValueOrDefault(RunId);
        Apply(run, run is null ? null : batch.Sessions[run.Ref.Id], batch.Changes, now);
    }

    /// <summary>The action on many runs, if it asked for this command, has done it. Written with the change itself, it is neither lost nor done again.</summary>
    protected void DoItem(ChangeSet changes)
    {
        if (Item is { } item) (changes.DoneItems ??= []).Add(item);
    }

    /// <summary>Applies the rules; null session: there is no such run.</summary>
    protected abstract void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now);
}
