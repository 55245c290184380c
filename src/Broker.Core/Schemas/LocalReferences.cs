using System.Globalization;
using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary>References within a document: <c>#</c> or <c>#/a/json/pointer</c>.</summary>
internal sealed class LocalReferences(JsonElement root)
{
    // Each container on a path is gone through once: thousands of references into one $defs would cost thousands of passes over it.
    private readonly Dictionary<string, Dictionary<string, JsonElement>> contents = new(StringComparer.Ordinal);

    public bool TryFind(string reference, out JsonElement target, out string pointer, out string problem)
    {
        target = root;
        pointer = problem = "";
        if (reference is not "#" && !reference.StartsWith("#/", StringComparison.Ordinal))
        {
            problem = $"\"{reference}\": only references into the same schema (#/…) are supported";
            return false;
        }

        if (reference is "#") return true;
        foreach (var raw in Uri.UnescapeDataString(reference)[2..].Split('/'))
        {
            var token = raw.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (!Contents(target, pointer).TryGetValue(token, out target))
            {
                problem = $"\"{reference}\": nothing stands there";
                return false;
            }

            pointer = JsonText.Under(pointer, token);
        }

        return true;
    }

    private Dictionary<string, JsonElement> Contents(JsonElement container, string pointer)
    {
        if (contents.TryGetValue(pointer, out var known)) return known;
        var read = container.ValueKind switch
        {
            JsonValueKind.Object => container.EnumerateObject().ToDictionary(JsonText.NameOf, member => member.Value, StringComparer.Ordinal),
            JsonValueKind.Array => container.EnumerateArray()
                .Select((item, index) => (Name: index.ToString(CultureInfo.InvariantCulture), Item: item))
                .ToDictionary(entry => entry.Name, entry => entry.Item, StringComparer.Ordinal),
            _ => [],
        };
        contents.Add(pointer, read);
        return read;
    }
}
