using System.Text;
using System.Text.Json;
using Broker.Core.Json;
using Broker.Http;

namespace Broker.Api.HandlersDialect;

/// <summary>Members of request objects, read so that no name or text makes it throw, and passed on as the text they are.</summary>
internal static class RawJson
{
    /// <summary>The last member of that name: also for a name with a lone surrogate beside it, where <c>TryGetProperty</c> throws.</summary>
    public static bool TryMember(this JsonElement owner, string name, out JsonElement value)
    {
        value = default;
        foreach (var member in owner.EnumerateObject())
        {
            if (JsonText.NameOf(member) == name) value = member.Value;
        }

        return value.ValueKind is not JsonValueKind.Undefined;
    }

    /// <summary>The member's text; null when it is absent, null or no string.</summary>
    public static string? Text(this JsonElement owner, string name) =>
        owner.TryMember(name, out var value) && value.ValueKind is JsonValueKind.String ? JsonText.StringOf(value) : null;

    /// <summary>Parses the JSON that a string holds; null when it holds none, or no object.</summary>
    public static JsonElement? ParseObject(string text)
    {
        try
        {
            var parsed = JsonElement.Parse(Encoding.UTF8.GetBytes(text), new JsonDocumentOptions { MaxDepth = JsonBody.MaxDepth });
            return parsed.ValueKind is JsonValueKind.Object ? parsed : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>
    /// The fields of an event: client libraries put those that its class does not declare under <c>_data</c> (handlers contract 5.1, 7).
    /// Order and number text stay; of a name that stands twice the last value counts.
    /// </summary>
    public static string Fields(JsonElement value)
    {
        var fields = new OrderedDictionary<string, JsonProperty>(StringComparer.Ordinal);
        var plain = true;
        foreach (var member in value.EnumerateObject())
        {
            var name = JsonText.NameOf(member);
            if (name == "_data" && member.Value.ValueKind is JsonValueKind.Object) plain = false;
            else if (!fields.TryAdd(name, member)) (fields[name], plain) = (member, false);
        }

        if (plain) return value.GetRawText();
        if (value.TryMember("_data", out var undeclared) && undeclared.ValueKind is JsonValueKind.Object)
        {
            foreach (var member in undeclared.EnumerateObject()) fields[JsonText.NameOf(member)] = member;
        }

        return JsonText.ObjectOf(fields.Values);
    }
}
