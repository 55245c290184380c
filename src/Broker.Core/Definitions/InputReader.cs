using System.Collections.Immutable;
using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Definitions;

/// <summary>Reads member <c>inputs</c> of a definition: an object of name to <c>{"type", "required", "default", "options", "description"}</c>.</summary>
internal static class InputReader
{
    private const int MaxNameLength = 100;
    private const int MaxOptions = 100;
    private static readonly string[] Members = ["type", "required", "default", "options", "description"];

    /// <summary>Null when the definition declares none: it then takes any object.</summary>
    public static InputCatalog? Read(JsonElement document, ProblemList problems)
    {
        if (problems.Object(document, "inputs", "") is not { } declared) return null;
        var all = ImmutableArray.CreateBuilder<InputDefinition>();
        foreach (var entry in declared.EnumerateObject())
        {
            var path = $"inputs.{entry.Name}";
            if (all.Count == InputCatalog.MaxInputs)
            {
                problems.Add("inputs", $"has more than {InputCatalog.MaxInputs} inputs");
                break;
            }

            if (!IsName(entry.Name)) problems.Add(path, $"expected a name of 1 to {MaxNameLength} letters, digits, '_' and '-', no digit or '-' first");
            else if (entry.Value.ValueKind is not JsonValueKind.Object) problems.Add(path, $"expected an object, got {JsonText.KindOf(entry.Value)}");
            else all.Add(ReadOne(entry.Name, entry.Value, path, problems));
        }

        if (InputVariables.Clash(all.Select(input => input.Name)) is var (first, second))
            problems.Add($"inputs.{second}", $"becomes the variable {InputVariables.NameOf(second)}, as '{first}' does");
        return new(all.ToImmutable());
    }

    /// <summary>Why the value is none of that type; null when it is.</summary>
    public static string? Problem(InputType type, ImmutableArray<string> options, JsonElement value) => type switch
    {
        InputType.Text => TextProblem(value),
        InputType.Number => value.ValueKind is JsonValueKind.Number ? null : Expected("a number", value),
        InputType.Boolean => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : Expected("true or false", value),
        InputType.Choice => TextProblem(value) ?? (options.Contains(JsonText.StringOf(value)) ? null : $"is '{JsonText.StringOf(value)}', expected one of {string.Join(", ", options)}"),
    };

    private static InputDefinition ReadOne(string name, JsonElement input, string path, ProblemList problems)
    {
        foreach (var member in input.EnumerateObject().Where(member => !Members.Contains(member.Name)))
            problems.Add($"{path}.{member.Name}", $"is not known; an input has {string.Join(", ", Members)}");

        var type = problems.Text(input, "type", path) switch
        {
            null or "string" => InputType.Text,
            "number" => InputType.Number,
            "boolean" => InputType.Boolean,
            "choice" => InputType.Choice,
            var other => problems.Add<InputType>($"{path}.type", $"is '{other}', expected string, number, boolean or choice"),
        };
        var options = ReadOptions(input, type, path, problems);
        var hasDefault = input.TryGetProperty("default", out var value) && value.ValueKind is not JsonValueKind.Null;
        if (hasDefault && Problem(type, options, value) is { } wrong) problems.Add($"{path}.default", wrong);
        return new(name, type)
        {
            Required = IsTrue(input, "required", path, problems),
            HasDefault = hasDefault,
            DefaultJson = hasDefault ? value.GetRawText() : Empty(type),
            Options = options,
            Description = problems.Text(input, "description", path),
        };
    }

    private static ImmutableArray<string> ReadOptions(JsonElement input, InputType type, string path, ProblemList problems)
    {
        ImmutableArray<string> options = [.. problems.Strings(input, "options", path)];
        if (type is not InputType.Choice && !options.IsEmpty) problems.Add($"{path}.options", "only a choice has options");
        if (type is InputType.Choice && options.IsEmpty) problems.Add($"{path}.options", "is required: the values of the choice");
        if (options.Length > MaxOptions) problems.Add($"{path}.options", $"has more than {MaxOptions} values");
        return options;
    }

    private static bool IsTrue(JsonElement owner, string member, string path, ProblemList problems)
    {
        if (!owner.TryGetProperty(member, out var value) || value.ValueKind is JsonValueKind.Null or JsonValueKind.False) return false;
        if (value.ValueKind is not JsonValueKind.True) problems.Add($"{path}.{member}", Expected("true or false", value));
        return true;
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= MaxNameLength
        && (char.IsAsciiLetter(name[0]) || name[0] == '_')
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    private static string? TextProblem(JsonElement value) =>
        value.ValueKind is not JsonValueKind.String ? Expected("a string", value)
        : StorableText.Fits(JsonText.StringOf(value)) ? null
        : StorableText.Message;

    private static string Expected(string what, JsonElement value) => $"expected {what}, got {JsonText.KindOf(value)}";

    private static string Empty(InputType type) => type switch
    {
        InputType.Text or InputType.Choice => "\"\"",
        InputType.Number => "0",
        InputType.Boolean => "false",
    };
}
