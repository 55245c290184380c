using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Decision on a step that was not reached, in a definition with conditions.</summary>
internal enum Decision
{
    /// <summary>A step above is still to end.</summary>
    Wait,
    Start,

    /// <summary>It will not run.</summary>
    Drop,
}

/// <summary>The rule of conditions (invariants 15 and 16).</summary>
internal static class Conditions
{
    /// <param name="run">The run, with its graph.</param>
    /// <param name="step">A step without a row; one without a condition was not made ready by its joins.</param>
    /// <param name="states">Every ended step of the run, and others.</param>
    /// <param name="inputs">The run's inputs, where a condition reads them.</param>
    public static Decision Decide(RunState run, StepDefinition step, IReadOnlyDictionary<int, StepState> states, JsonElement inputs)
    {
        var definition = run.Definition;
        if (run.IsCancelling && step.When is null) return Decision.Drop;
        if (!step.Predecessors.All(above => states.GetValueOrDefault(above) is { IsTerminal: true })) return Decision.Wait;

        // Joins start a step without a condition: here, none of them has.
        if (step.When is null || !IsLedTo(definition, step, states)) return Decision.Drop;
        var scope = new NeedScope(run, step, states, inputs);
        return step.When.IsTrue(scope) ? Decision.Start : Decision.Drop;
    }

    // A step of another branch stays out, whatever its condition says. A failure names no branch: it leads to every step below.
    private static bool IsLedTo(WorkflowDefinition definition, StepDefinition step, IReadOnlyDictionary<int, StepState> states) =>
        step.Predecessors.IsEmpty || step.Predecessors.Any(above => states[above] switch
        {
            { Status: StepStatus.Succeeded } ended => definition.Steps[above].Chosen(RunSession.BranchOf(ended.Result)).Contains(step.Index),
            { Status: StepStatus.Skipped } => definition.Steps[above].Chosen(null).Contains(step.Index),
            _ => true,
        });
}
