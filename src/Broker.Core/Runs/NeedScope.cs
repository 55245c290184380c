using System.Text.Json;
using Broker.Core.Conditions;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Values that the condition of a step reads: the ends of the steps above it, and the inputs of the run (invariant 15).</summary>
/// <param name="run">The run, with its graph.</param>
/// <param name="step">The step in question; its predecessors have ended.</param>
/// <param name="states">Every ended step of the run, by index.</param>
/// <param name="inputs">The run's inputs; undefined where no condition reads them.</param>
internal sealed class NeedScope(RunState run, StepDefinition step, IReadOnlyDictionary<int, StepState> states, JsonElement inputs) : IConditionScope
{
    private readonly WorkflowDefinition definition = run.Definition;

    /// <summary>Whether a condition means that step: by its name, or as one of a matrix, such as <c>test</c> for <c>test (3.11, linux)</c>.</summary>
    public static bool Names(string need, string name) =>
        name == need || (name.Length > need.Length + 2 && name.StartsWith(need, StringComparison.Ordinal) && name.AsSpan(need.Length).StartsWith(" (") && name[^1] == ')');

    public bool Success() => !run.IsCancelling && step.Predecessors.All(above => Succeeded(above));

    public bool Failure()
    {
        var seen = new HashSet<int>(step.Predecessors);
        var open = new Queue<int>(step.Predecessors);
        while (open.TryDequeue(out var above))
        {
            if (states.GetValueOrDefault(above) is { Status: StepStatus.Failed } && !definition.Steps[above].Optional) return true;
            foreach (var further in definition.Steps[above].Predecessors.Where(seen.Add)) open.Enqueue(further);
        }

        return false;
    }

    public bool Cancelled() => run.IsCancelling;

    public JsonElement? Input(string name) => inputs.ValueKind is JsonValueKind.Object && inputs.TryGetProperty(name, out var value) ? value : null;

    public string? Result(string job) => NeedResults.Of(definition, step, above => states.GetValueOrDefault(above)?.Status, job);

    /// <summary>Of several steps of a matrix: the last one, in order of definition, that has the output.</summary>
    public string? Output(string job, string name)
    {
        foreach (var above in Named(job).Reverse())
        {
            if (states.GetValueOrDefault(above)?.Result is { } result && FinalValue.IsObject(result))
            {
                using var outputs = JsonDocument.Parse(result);
                if (outputs.RootElement.TryGetProperty(name, out var value))
                    return value.ValueKind is JsonValueKind.String ? JsonText.StringOf(value) : value.GetRawText();
            }
        }

        return null;
    }

    private IEnumerable<int> Named(string job) => NeedResults.Named(definition, step, job);

    // A worker's skip is as good as success, but in the jobs dialect.
    private bool Succeeded(int above) =>
        states.GetValueOrDefault(above) is { } state && !definition.Steps[above].Blocks(state) && !(step.NeedsSuccess && state.Status is StepStatus.Skipped);
}
