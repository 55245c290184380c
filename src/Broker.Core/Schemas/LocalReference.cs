using System.Globalization;
using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary>References within the document: <c>#</c> or <c>#/a/json/pointer</c>.</summary>
internal static class LocalReference
{
    public static bool TryFind(JsonElement root, string reference, out JsonElement target, out string pointer, out string problem)
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
            if (!TryStep(target, token, out target))
            {
                problem = $"\"{reference}\": nothing stands there";
                return false;
            }

            pointer = JsonText.Under(pointer, token);
        }

        return true;
    }

    private static bool TryStep(JsonElement from, string token, out JsonElement target)
    {
        if (from.ValueKind is JsonValueKind.Array
            && int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && index < from.GetArrayLength()
            && (token.Length == 1 || token[0] != '0'))
        {
            target = from[index];
            return true;
        }

        target = from.ValueKind is JsonValueKind.Object
            ? from.EnumerateObject().FirstOrDefault(member => JsonText.NameOf(member) == token).Value
            : default;
        return target.ValueKind is not JsonValueKind.Undefined;
    }
}
