using System.Text.Json;
using Broker.Operators;

namespace Broker.Ui.Parts;

/// <summary>A field of a form, as a JSON Schema describes it.</summary>
/// <param name="Name">Name of the member.</param>
/// <param name="Kind">string, integer, number, boolean or json.</param>
/// <param name="Required">A value is required.</param>
/// <param name="Description">Words beside the field.</param>
/// <param name="Default">Text that stands in it at first.</param>
/// <param name="Choices">The only values; empty: any.</param>
internal sealed record SchemaField(string Name, string Kind, bool Required, string? Description, string? Default, IReadOnlyList<string> Choices)
{
    /// <summary>Fields of a schema of an object; null where a form cannot show it: then the value is written as JSON.</summary>
    public static IReadOnlyList<SchemaField>? Of(RawJson schema)
    {
        using var document = JsonDocument.Parse(schema.Text);
        if (document.RootElement is not { ValueKind: JsonValueKind.Object } root
            || !root.TryGetProperty("properties", out var properties) || properties.ValueKind is not JsonValueKind.Object)
        {
            return null;
        }

        var required = root.TryGetProperty("required", out var names) && names.ValueKind is JsonValueKind.Array
            ? names.EnumerateArray().Where(name => name.ValueKind is JsonValueKind.String).Select(name => name.GetString()!).ToHashSet()
            : [];
        return [.. properties.EnumerateObject().Select(member => Of(member.Name, member.Value, required.Contains(member.Name)))];
    }

    private static SchemaField Of(string name, JsonElement schema, bool required)
    {
        if (schema.ValueKind is not JsonValueKind.Object) return new(name, "json", required, null, null, []);
        var choices = schema.TryGetProperty("enum", out var values) && values.ValueKind is JsonValueKind.Array
            ? values.EnumerateArray().ToList()
            : [];
        var kind = KindOf(schema, choices);
        return new(
            name, kind, required,
            schema.TryGetProperty("description", out var description) && description.ValueKind is JsonValueKind.String ? description.GetString() : null,
            schema.TryGetProperty("default", out var value) ? Text(value, kind) : null,
            kind == "json" ? [] : [.. choices.Select(choice => Text(choice, kind))]);
    }

    private static string KindOf(JsonElement schema, List<JsonElement> choices)
    {
        if (schema.TryGetProperty("type", out var type) && type.ValueKind is JsonValueKind.String)
            return type.GetString() is "string" or "integer" or "number" or "boolean" ? type.GetString()! : "json";
        return choices.Count > 0 && choices.TrueForAll(choice => choice.ValueKind is JsonValueKind.String) ? "string" : "json";
    }

    private static string Text(JsonElement value, string kind) => kind == "string" && value.ValueKind is JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
