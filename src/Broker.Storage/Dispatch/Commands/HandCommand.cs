using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>An operator's order about one step.</summary>
internal sealed class HandCommand : RunCommand<HandVerdict>
{
    private readonly string stepName;
    private readonly Func<StepDefinition, WorkflowDefinition, DateTimeOffset, HandOrder> order;

    /// <param name="name">The run.</param>
    /// <param name="stepName">Its step.</param>
    /// <param name="order">The order, by the step, its definition and the instant.</param>
    public HandCommand(RunName name, string stepName, Func<StepDefinition, WorkflowDefinition, DateTimeOffset, HandOrder> order)
    {
        Name = name;
        (this.stepName, this.order) = (stepName, order);
    }

    // A claim takes a ready step without the lock of its run, and a step that becomes ready may take an event.
    public override LoadRequirements Requirements => LoadRequirements.ActiveSteps | LoadRequirements.Inbox | LoadRequirements.Lease;

    public override void Locate(WorkflowDefinition definition) => StepIndex ??= definition.IndexOfName(stepName);

    protected override void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) =>
        Outcome = run is null || session is null ? HandVerdict.UnknownRun
            : StepIndex is not { } index ? HandVerdict.UnknownStep
            : session.ByHand(index, order(run.State.Definition.StepOf(index), run.State.Definition, now), now);
}
