using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>How a step above ended, in the words of conditions.</summary>
public static class NeedResults
{
    /// <summary>success, failure, cancelled or skipped; of several steps of a matrix failure before cancelled before skipped before success. Null: there is none.</summary>
    /// <param name="definition">The graph.</param>
    /// <param name="step">The step that asks.</param>
    /// <param name="status">Status of a step above, by index; null: it was not reached.</param>
    /// <param name="job">Name of a step above, or of the matrix that it is a step of.</param>
    public static string? Of(WorkflowDefinition definition, StepDefinition step, Func<int, StepStatus?> status, string job)
    {
        var words = Named(definition, step, job).Select(above => Word(definition.Steps[above], status(above))).ToList();
        return words.Contains("failure") ? "failure" : words.Contains("cancelled") ? "cancelled" : words.Contains("skipped") ? "skipped" : words.FirstOrDefault();
    }

    /// <summary>The steps above that the name means.</summary>
    internal static IEnumerable<int> Named(WorkflowDefinition definition, StepDefinition step, string job) =>
        step.Predecessors.Where(above => NeedScope.Names(job, definition.Steps[above].Name));

    private static string Word(StepDefinition above, StepStatus? status) => status switch
    {
        StepStatus.Failed => above.Optional ? "success" : "failure",
        StepStatus.Cancelled => "cancelled",
        StepStatus.Succeeded => "success",
        _ => "skipped",
    };
}
