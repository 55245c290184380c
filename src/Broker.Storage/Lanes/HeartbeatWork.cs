using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Lanes;

/// <summary>Renews a lease: known by its id, or as what a worker holds of a step that it knows by name.</summary>
internal sealed class HeartbeatWork : Work<HeartbeatVerdict>, INamedWork
{
    private readonly string? stepName;
    private readonly string? worker;
    private readonly LeaseId? lease;
    private int? step;

    public HeartbeatWork(LeaseId lease) => (RunId, step, this.lease) = (lease.RunId, lease.Step, lease);

    public HeartbeatWork(RunName name, string step, string worker, LeaseId? lease) => (Name, stepName, this.worker, this.lease) = (name, step, worker, lease);

    public long RunId { get; set; }

    public RunName? Name { get; }

    public void Locate(WorkflowDefinition definition) => step = definition.Find(stepName!)?.Index;

    /// <summary>Null: there is no such run or step.</summary>
    public HeldLease? Held => RunId != 0 && step is { } index ? HeldLease.Of(new StepKey(RunId, index), lease, worker) : null;
}
