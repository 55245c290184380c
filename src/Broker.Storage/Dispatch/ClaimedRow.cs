using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>A step that is leased, with what its worker must know of the run.</summary>
internal sealed record ClaimedRow(
    string Worker, long Fence, long RunId, int Index, int Attempt, long QueuedAt, long Due, long GrantedAt, long ExpiresAt, int LeaseSecs,
    string Workflow, string InstanceId, int Number, int DefinitionId, string Inputs, string? Context, bool Streams, string? TraceParent)
{
    /// <summary>The claim that it goes to.</summary>
    public ClaimCommand? Claim { get; init; }

    /// <summary>The end of the attempt, where it has a limit.</summary>
    public long? Deadline { get; init; }

    /// <summary>Raw JSON that an earlier attempt sent last.</summary>
    public string? Progress { get; init; }

    /// <summary>Raw JSON of the value that a dynamic step runs for.</summary>
    public string? Input { get; init; }

    /// <param name="step">The columns of the step that a claim returns.</param>
    /// <param name="run">Those of its run.</param>
    /// <param name="slot">The slot that the step fills.</param>
    public static ClaimedRow Of(StepRow step, RunRow run, ClaimSlot slot) => new(
        slot.Worker, slot.Fence, step.RunId, step.Idx, step.Attempt, step.QueuedAt, step.Due, step.GrantedAt!.Value, step.ExpiresAt!.Value, step.LeaseSecs,
        run.Workflow, run.InstanceId, run.Number, run.DefinitionId, run.Inputs, run.Context, run.Streams, run.TraceParent)
    {
        Claim = slot.Claim,
        Deadline = step.Deadline,
        Progress = step.Progress,
        Input = step.Input,
    };

    /// <param name="definition">The run's definition.</param>
    /// <param name="finished">Results of predecessors that have finished, by index.</param>
    public Assignment ToAssignment(WorkflowDefinition definition, IReadOnlyDictionary<int, string?> finished) => new()
    {
        Lease = LeaseId.Create(RunId, Index, Fence),
        Run = new RunRef(RunId, Workflow, InstanceId, Number),
        Definition = definition,
        Step = definition.StepOf(Index),
        WorkerId = Worker,
        Attempt = Attempt,
        QueuedAt = Instants.FromMicros(QueuedAt),
        Due = Instants.FromMicros(Due),
        GrantedAt = Instants.FromMicros(GrantedAt),
        ExpiresAt = Instants.FromMicros(ExpiresAt),
        Deadline = Instants.FromMicros(Deadline),
        ProgressJson = Progress,
        ItemJson = Input,
        LeaseSecs = LeaseSecs,
        InputsJson = Inputs,
        ContextJson = Context,
        TraceParent = TraceParent,
        Upstream = Upstream.For(definition, definition.RulesOf(Index), finished),
    };
}
