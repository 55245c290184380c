using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Renews a lease: known by its id, or as what a worker holds of a step that it knows by name.</summary>
internal sealed class HeartbeatCommand : StoreCommand<HeartbeatVerdict>, INamedCommand
{
    private readonly string? stepName;
    private readonly string? worker;
    private readonly LeaseId? lease;
    private int? step;

    public HeartbeatCommand(LeaseId lease) => (RunId, step, this.lease) = (lease.RunId, lease.Step, lease);

    public HeartbeatCommand(RunName name, string step, string worker, LeaseId? lease) => (Name, stepName, this.worker, this.lease) = (name, step, worker, lease);

    public long RunId { get; set; }

    public RunName? Name { get; }

    /// <summary>Raw JSON that the worker sends with it; null: none.</summary>
    public string? Progress { get; init; }

    public void Locate(WorkflowDefinition definition) => step = definition.IndexOfName(stepName!);

    /// <summary>Null: there is no such run or step.</summary>
    public LeaseRef? Lease => RunId != 0 && step is { } index ? LeaseRef.Of(new StepKey(RunId, index), lease, worker) : null;
}
