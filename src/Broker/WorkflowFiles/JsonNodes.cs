using System.Text.Json;
using Broker.Core.Json;

namespace Broker.WorkflowFiles;

/// <summary>JSON to nodes; strict about the syntax, so comments and trailing commas are faults.</summary>
internal static class JsonNodes
{
    /// <exception cref="JsonException">The text is not one JSON value within the limits.</exception>
    public static Node Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = YamlNodes.MaxDepth });
            return Convert(document.RootElement);
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException)
        {
            // Half a surrogate pair: an escaped one shows only when its string is read, a bare one when the text is encoded.
            throw new JsonException(StorableText.Message, fault);
        }
    }

    private static Node Convert(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => Mapping(element),
        JsonValueKind.Array => new SequenceNode([.. element.EnumerateArray().Select(Convert)]),
        JsonValueKind.String => new ScalarNode(Storable(element.GetString()!), ScalarKind.Text),
        JsonValueKind.Number => new ScalarNode(element.GetRawText(), ScalarKind.Number),
        JsonValueKind.True or JsonValueKind.False => new ScalarNode(element.GetRawText(), ScalarKind.Boolean),
        _ => new ScalarNode("", ScalarKind.Null),
    };

    private static MappingNode Mapping(JsonElement element)
    {
        var entries = new OrderedDictionary<string, Node>(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject()) entries[Storable(property.Name)] = Convert(property.Value);

        return new MappingNode(entries);
    }

    private static string Storable(string text) => StorableText.Fits(text) ? text : throw new JsonException(StorableText.Message);
}
