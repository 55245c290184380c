using Broker.Core.Definitions;
using Broker.Storage.Contracts;

namespace Broker.Storage.Stores;

/// <summary>A worker as far as it decides which steps it may take.</summary>
internal sealed record WorkerOffer(WorkerKind Kind, IReadOnlySet<int> Definitions, IReadOnlySet<string> Labels, IReadOnlySet<string>? Workflows, DateTimeOffset SeenAt)
{
    /// <summary>Whether a claim of it could get that step. Steps with a command or a handler are for workers with labels, others for those that registered the definition.</summary>
    public bool Fits(string workflow, int definitionId, StepDefinition step) =>
        Fits(step.IsClaimedByLabels ? null : definitionId, step.RequiredLabels) && Workflows?.Contains(workflow) is not false;

    /// <summary>The same for a queue: the steps of one definition, or those of any that ask for these labels.</summary>
    public bool Fits(int? definitionId, IEnumerable<string> labels) =>
        (definitionId is { } id ? Kind is WorkerKind.Registered && Definitions.Contains(id) : Kind is WorkerKind.Labelled) && labels.All(Labels.Contains);
}
