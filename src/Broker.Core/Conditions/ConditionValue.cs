using System.Text;
using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Conditions;

/// <summary>Kind of a value in an expression.</summary>
public enum ValueKind
{
    /// <summary>Nothing: a missing value, and <c>null</c>.</summary>
    Null,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>A JSON number.</summary>
    Number,

    /// <summary>Text.</summary>
    Text,

    /// <summary>A JSON array or object.</summary>
    Json,
}

/// <summary>A value in an expression, with its text: a number as it was written, an array as JSON, nothing as an empty text.</summary>
public readonly record struct ConditionValue(ValueKind Kind, string Text)
{
    public static ConditionValue Null { get; } = new(ValueKind.Null, "");
    public static ConditionValue True { get; } = new(ValueKind.Boolean, "true");
    public static ConditionValue False { get; } = new(ValueKind.Boolean, "false");

    /// <summary>As in GitHub's expressions: false, 0, an empty text and nothing are false.</summary>
    public bool IsTrue => Kind switch
    {
        ValueKind.Null => false,
        ValueKind.Boolean => Text == "true",
        ValueKind.Number => !Number.IsZero,
        ValueKind.Text => Text.Length > 0,
        ValueKind.Json => true,
    };

    private JsonNumber Number => JsonNumber.Parse(Encoding.ASCII.GetBytes(Text));

    public static ConditionValue Of(bool value) => value ? True : False;

    public static ConditionValue Of(string? text) => text is null ? Null : new(ValueKind.Text, text);

    public static ConditionValue Of(JsonElement? value) => value is not { } json ? Null : json.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => Null,
        JsonValueKind.True => True,
        JsonValueKind.False => False,
        JsonValueKind.Number => new(ValueKind.Number, json.GetRawText()),
        JsonValueKind.String => new(ValueKind.Text, JsonText.StringOf(json)),
        JsonValueKind.Array or JsonValueKind.Object => new(ValueKind.Json, json.GetRawText()),
    };

    /// <summary>The rule of <c>==</c>: two numbers by value, everything else by text, upper and lower case apart.</summary>
    public bool IsEqualTo(ConditionValue other) =>
        Kind is ValueKind.Number && other.Kind is ValueKind.Number ? Number == other.Number : Text == other.Text;

    /// <summary>The rule of <c>contains</c>: an array has an equal item, or the text holds the other text.</summary>
    public bool Contains(ConditionValue part)
    {
        if (Kind is not ValueKind.Json || Text[0] != '[') return Text.Contains(part.Text, StringComparison.Ordinal);
        return JsonElement.Parse(Text).EnumerateArray().Any(item => Of(item).IsEqualTo(part));
    }

    /// <summary>As a literal of the language; an array is its JSON as text.</summary>
    public override string ToString() => Kind switch
    {
        ValueKind.Null => "null",
        ValueKind.Boolean or ValueKind.Number => Text,
        ValueKind.Text or ValueKind.Json => $"'{Text.Replace("'", "''", StringComparison.Ordinal)}'",
    };
}
