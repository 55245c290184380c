using System.Collections.Immutable;
using System.Text.Json;
using Broker.Core.Conditions;
using Broker.Core.Runs;

namespace Broker.Core.Definitions;

/// <summary>Reader of a step's <c>when</c>: <c>success</c> (as without it), <c>failure</c>, <c>always</c> or an expression.</summary>
internal static class ConditionReader
{
    /// <summary>Steps of a definition with conditions, at most: each end of a step reads every reached step of its run.</summary>
    public const int MostSteps = 2000;

    public static Expression? Read(JsonElement step, string path, ProblemList problems)
    {
        var text = problems.Text(step, "when", path) switch
        {
            null or "success" => null,
            "failure" => "failure()",
            "always" => "always()",
            var expression => expression,
        };
        if (text is null) return null;
        var (condition, fault, column) = Expression.Parse(text);
        if (condition is null) problems.Add($"{path}.when", $"column {column}: {fault}");
        foreach (var lookup in condition?.Lookups.Where(lookup => lookup.Kind is not (LookupKind.Input or LookupKind.Result or LookupKind.Output)) ?? [])
            problems.Add($"{path}.when", $"reads {lookup}; here are inputs.NAME, needs.STEP.result and needs.STEP.outputs.NAME");
        return condition;
    }

    public static bool ReadsInputs(StepDefinition step) => step.When?.Lookups.Any(lookup => lookup.Kind is LookupKind.Input) is true;

    /// <summary>A condition may read results of the steps that its own step follows, and of no others: these have ended when it is decided.</summary>
    public static void CheckNeeds(ImmutableArray<StepDefinition> steps, ProblemList problems)
    {
        var conditional = steps.Where(s => s.When is not null).ToList();
        if (steps.Length > MostSteps && (conditional.Count > 0 || steps.Any(s => s.FailFast is not null)))
            problems.Add("steps", $"has more than {MostSteps} steps, the most for a definition that uses when or fail_fast");
        foreach (var step in conditional)
        {
            foreach (var name in step.When!.Needs.Where(name => !step.Predecessors.Any(p => NeedScope.Names(name, steps[p].Name))))
                problems.Add($"steps.{step.Name}.when", $"reads '{name}', which is no predecessor of this step");
        }
    }
}
