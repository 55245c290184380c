using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Schemas;

namespace Broker.Core.Runs;

/// <summary>The inputs of a start against what its definition takes: one rule for the starts of all dialects.</summary>
public static class StartInputs
{
    /// <summary>The inputs that the run gets, defaults filled in, or every problem.</summary>
    public static InputsReading Judge(StartRequest start)
    {
        var definition = start.Definition;
        if (start.InputsJson == "null" && (definition.Inputs is not null || definition.HasCommands)) start = start with { InputsJson = "{}" };
        if (definition.Inputs is { } declared) return declared.Complete(JsonElement.Parse(start.InputsJson));

        // A start event that is named comes from clients that send more fields than its schema has.
        var problems = start.StartEvent is { } sent ? sent.Errors(start.InputsJson, allowsMore: true)
            : definition.Events.StartEvent is { IsDeclared: true } own ? own.Errors(start.InputsJson, allowsMore: false)
            : [];
        if (problems.Count == 0 && definition.HasCommands) problems = ForCommands(start.InputsJson);
        return new(start.InputsJson, problems);
    }

    /// <summary>The problem as one of a request whose member of that name holds the inputs.</summary>
    public static DefinitionProblem ProblemIn(string member, SchemaError problem) =>
        new(problem.Path.Length == 0 ? member : $"{member}.{problem.MemberPath}", problem.Message);

    /// <summary>Shell commands get inputs as variables, and their workers read them as an object of valid Unicode.</summary>
    private static IReadOnlyList<SchemaError> ForCommands(string inputsJson)
    {
        if (inputsJson == "{}") return [];
        var inputs = JsonElement.Parse(inputsJson);
        if (inputs.ValueKind is not JsonValueKind.Object) return [new("", $"expected an object, got {JsonText.KindOf(inputs)}")];
        if (UnicodeCheck.Problem(inputs, "") is { } broken) return [new("", broken.ToString())];
        if (InputVariables.Clash(inputs.EnumerateObject().Select(JsonText.NameOf)) is var (first, second))
            return [new(JsonText.Under("", second), $"becomes the variable {InputVariables.NameOf(second)}, as '{first}' does")];
        foreach (var member in inputs.EnumerateObject())
        {
            if (member.Value.ValueKind is JsonValueKind.String && !StorableText.Fits(JsonText.StringOf(member.Value)))
                return [new(JsonText.Under("", JsonText.NameOf(member)), StorableText.Message)];
        }

        return [];
    }
}
