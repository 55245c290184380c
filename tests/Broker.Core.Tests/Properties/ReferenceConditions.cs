using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Core.Tests.Properties;

/// <summary>Reference for steps with conditions: decided from the rows alone, by the words that <see cref="RandomGraph"/> writes.</summary>
internal static class ReferenceConditions
{
    /// <summary>Whether the step must have been decided, and with which outcome; null: not yet.</summary>
    public static bool? Runs(WorkflowDefinition definition, StepDefinition step, IReadOnlyDictionary<int, StepState> rows, bool isCancelled = false)
    {
        if (!step.Predecessors.All(p => rows.TryGetValue(p, out var row) && row.IsTerminal)) return null;
        var led = step.Predecessors.IsEmpty || step.Predecessors.Any(p => LeadsTo(definition.Steps[p], rows[p], step));
        return led && IsMet(definition, step, rows, isCancelled);
    }

    private static bool LeadsTo(StepDefinition above, StepState row, StepDefinition step)
    {
        if (row.Status is not (StepStatus.Succeeded or StepStatus.Skipped)) return true;
        var branch = row.Status is StepStatus.Succeeded && row.Result?.StartsWith('"') is true ? row.Result.Trim('"') : "default";
        var named = above.Successors.ContainsKey(branch) ? branch : "default";
        return above.Successors.TryGetValue(named, out var chosen) && chosen.Contains(step.Index);
    }

    private static bool IsMet(WorkflowDefinition definition, StepDefinition step, IReadOnlyDictionary<int, StepState> rows, bool isCancelled)
    {
        var words = step.Predecessors.ToDictionary(p => definition.Steps[p].Name, p => Word(definition.Steps[p], rows[p]));
        var success = !isCancelled && step.Predecessors.All(p => Word(definition.Steps[p], rows[p]) == "success" || (rows[p].Status is StepStatus.Skipped && !step.NeedsSuccess));
        var failure = FailedAbove(definition, step, rows, []);
        var text = step.When!.ToString();
        return text switch
        {
            "failure()" => failure,
            "always()" => true,
            "true == false" => false,
            "!failure()" => !failure,
            "success()" => success,
            _ when text.StartsWith("always() && ", StringComparison.Ordinal) => words[text.Split('.')[1]] == "skipped",
            _ => words[text.Split('.')[1]] != "failure" || failure,
        };
    }

    private static string Word(StepDefinition step, StepState row) => row.Status switch
    {
        StepStatus.Succeeded => "success",
        StepStatus.Failed => step.Optional ? "success" : "failure",
        StepStatus.Cancelled => "cancelled",
        _ => "skipped",
    };

    private static bool FailedAbove(WorkflowDefinition definition, StepDefinition step, IReadOnlyDictionary<int, StepState> rows, HashSet<int> seen) =>
        step.Predecessors.Where(seen.Add).Any(p =>
            (rows.TryGetValue(p, out var row) && Word(definition.Steps[p], row) == "failure") || FailedAbove(definition, definition.Steps[p], rows, seen));
}
