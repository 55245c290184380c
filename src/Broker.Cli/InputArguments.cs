using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>
/// Values of <c>--input NAME=VALUE</c>. An input that the workflow declares as text is text, also where the value looks like a number; any other
/// is JSON, or text where it is none.
/// </summary>
internal static class InputArguments
{
    public static async Task AddAsync(JsonObject inputs, IReadOnlyList<(string Name, string Value)> given, string workflow, IOperatorApi api, CancellationToken ct)
    {
        if (given.Count == 0) return;
        var declared = await api.GetWorkflowAsync(workflow, null, ct);
        using var document = JsonDocument.Parse(declared.Document.Text);
        using var schema = JsonDocument.Parse(declared.Start.Schema.Text);
        foreach (var (name, value) in given)
            inputs[name] = IsText(document.RootElement, "inputs", name) || IsText(schema.RootElement, "properties", name) ? JsonValue.Create(value) : ValueOf(value);
    }

    private static bool IsText(JsonElement owner, string members, string name) =>
        owner.ValueKind is JsonValueKind.Object
        && owner.TryGetProperty(members, out var all) && all.ValueKind is JsonValueKind.Object
        && all.TryGetProperty(name, out var input) && input.ValueKind is JsonValueKind.Object
        && input.TryGetProperty("type", out var type) && type.ValueKind is JsonValueKind.String && type.GetString() is "string" or "choice";

    private static JsonNode? ValueOf(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
