using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary>A set of JSON types. Numbers come in two kinds, so that "integer" is a part of "number".</summary>
[Flags]
internal enum JsonTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Integer = 4,
    Fraction = 8,
    Number = Integer | Fraction,
    String = 16,
    Array = 32,
    Object = 64,
    Any = Null | Boolean | Number | String | Array | Object,
}

internal static class JsonTypeNames
{
    private static readonly (string Name, JsonTypes Types)[] Names =
    [
        ("string", JsonTypes.String), ("number", JsonTypes.Number), ("integer", JsonTypes.Integer), ("boolean", JsonTypes.Boolean),
        ("array", JsonTypes.Array), ("object", JsonTypes.Object), ("null", JsonTypes.Null),
    ];

    public static JsonTypes Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => JsonTypes.Null,
        JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
        JsonValueKind.String => JsonTypes.String,
        JsonValueKind.Array => JsonTypes.Array,
        JsonValueKind.Object => JsonTypes.Object,
        JsonValueKind.Number => JsonNumber.Of(value).IsInteger ? JsonTypes.Integer : JsonTypes.Fraction,
        _ => throw new ArgumentException("There is no JSON value to judge.", nameof(value)),
    };

    public static bool TryParse(string name, out JsonTypes types)
    {
        types = Array.Find(Names, n => n.Name == name).Types;
        return types != JsonTypes.None;
    }

    /// <summary>"integer", "string or null"; "nothing" for the empty set.</summary>
    public static string Describe(JsonTypes types)
    {
        var words = Names
            .Where(n => (types & n.Types) == n.Types && !(n.Types == JsonTypes.Integer && types.HasFlag(JsonTypes.Number)))
            .Select(n => n.Name)
            .ToList();
        if ((types & JsonTypes.Number) == JsonTypes.Fraction) words.Add("number");
        return words.Count == 0 ? "nothing" : string.Join(" or ", words);
    }
}
