using Broker.Core.Definitions;

namespace Broker.Core.Explanations;

/// <summary>Words for the worker that a step needs.</summary>
public static class NeededWorker
{
    /// <summary>The worker, without an article.</summary>
    /// <param name="step">The step.</param>
    /// <param name="workflow">How its workflow is called in the sentence.</param>
    public static string Of(StepDefinition step, string workflow)
    {
        var labels = step.RequiredLabels;
        var named = labels.IsEmpty ? "" : $" with the label{(labels.Length == 1 ? "" : "s")} {string.Join(", ", labels)}";
        return !step.IsClaimedByLabels ? $"worker{named} registered for {workflow}" : $"worker{(labels.IsEmpty ? " that takes jobs" : named)}";
    }

    public static string Never(string needed) => $"No {needed} has ever been seen.";

    /// <param name="needed">The worker.</param>
    /// <param name="length">For how long.</param>
    public static string NotSeen(string needed, string length) => $"No {needed} has been seen {length}.";

    public static string Advice(string needed) => $"Start a {needed}.";
}
