using System.Text.Json;
using Broker.Core.Definitions;

namespace Broker.WorkflowFiles;

/// <summary>An input that a file declares, as the definition document has it.</summary>
internal sealed record FileInput(InputType Type)
{
    public bool Required { get; init; }

    /// <summary>Raw JSON; null without a default.</summary>
    public string? DefaultJson { get; init; }

    public IReadOnlyList<string> Options { get; init; } = [];

    public string? Description { get; init; }

    public static FileInput Read(FieldReader fields)
    {
        fields.Only(KnownKeys.Input);
        var choices = fields.Value("choice") is null ? fields.Texts("options") : fields.Texts("choice");
        if (fields.Value("choice") is not null && fields.Value("options") is not null) fields.Report("choice", "means options; write one of them");
        var type = fields.Text("type") switch
        {
            null => choices.Count > 0 ? InputType.Choice : InputType.Text,
            "string" => InputType.Text,
            "number" => InputType.Number,
            "boolean" => InputType.Boolean,
            "choice" => InputType.Choice,
            var other => Unknown(fields, other),
        };
        return new(type)
        {
            Required = fields.Boolean("required") ?? false,
            DefaultJson = Default(fields, type),
            Options = choices,
            Description = fields.Text("description"),
        };
    }

    /// <summary>The word of files and definitions for a type.</summary>
    public static string WordOf(InputType type) => type switch
    {
        InputType.Text => "string",
        InputType.Number => "number",
        InputType.Boolean => "boolean",
        InputType.Choice => "choice",
    };

    private static InputType Unknown(FieldReader fields, string type)
    {
        fields.Report("type", $"is '{type}', expected string, number, boolean or choice");
        return InputType.Text;
    }

    // A text may be written as any scalar; a number and a boolean only as what they are.
    private static string? Default(FieldReader fields, InputType type)
    {
        if (fields.Scalar("default") is not { } scalar) return null;
        switch (type)
        {
            case InputType.Number:
                if (scalar.Kind is ScalarKind.Number && IsJson(scalar.Text)) return scalar.Text;
                fields.Report("default", $"must be a number as JSON has it, such as 5 or 0.5, not {scalar.Description}");
                return null;
            case InputType.Boolean:
                return fields.Boolean("default") switch { true => "true", false => "false", null => null };
            case InputType.Text or InputType.Choice:
                return JsonSerializer.Serialize(scalar.Text);
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "No such type.");
        }
    }

    internal static bool IsJson(string number)
    {
        try
        {
            return JsonElement.Parse(number).ValueKind is JsonValueKind.Number;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
