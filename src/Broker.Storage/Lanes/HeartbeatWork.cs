using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Lanes;

/// <summary>Renews a lease: known by its id, or as what a worker holds of a step that it knows by name.</summary>
internal sealed class HeartbeatWork : Work<HeartbeatVerdict>, INamedWork
{
    private readonly string? stepName;
    private readonly string? worker;
    private readonly long? fence;
    private int? step;

    public HeartbeatWork(LeaseId lease) => (RunId, step, fence) = (lease.RunId, lease.Step, lease.Fence);

    public HeartbeatWork(RunName name, string step, string worker) => (Name, stepName, this.worker) = (name, step, worker);

    public long RunId { get; set; }

    public RunName? Name { get; }

    public void Locate(WorkflowDefinition definition) => step = definition.Find(stepName!)?.Index;

    /// <summary>Null: there is no such run or step.</summary>
    public HeldLease? Held => RunId != 0 && step is { } index ? new(new StepKey(RunId, index), fence, worker) : null;
}
