using Broker.Core.Definitions;
using Broker.Core.Explanations;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Contracts;

/// <summary>Claimable steps of one workflow.</summary>
/// <param name="Workflow">Workflow name.</param>
/// <param name="Depth">Steps that a worker could take now; counted up to a bound.</param>
/// <param name="OldestDue">When the one that has been claimable for longest became so; null when there is none.</param>
public sealed record QueueDepth(string Workflow, int Depth, DateTimeOffset? OldestDue);

/// <summary>Reads the line of claimable steps without taking anything.</summary>
public interface IQueueFacts
{
    /// <summary>By workflow, and the store's time. Bounded: each queue is counted up to 10,000 steps, and history is never read.</summary>
    Task<(IReadOnlyList<QueueDepth> Depths, DateTimeOffset Now)> DepthsAsync(CancellationToken ct);

    /// <summary>Facts that explain why no worker has claimed a step.</summary>
    /// <param name="run">The run.</param>
    /// <param name="step">The step.</param>
    /// <param name="ct">Gives up.</param>
    /// <param name="item">Its state, where it is a dynamic step: the run has none of those.</param>
    Task<StepFacts> OfStepAsync(RunView run, StepDefinition step, CancellationToken ct, StepState? item = null);
}
