using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Definitions;

/// <summary>Inputs as environment variables of shell commands.</summary>
public static class InputVariables
{
    private const string Prefix = "INPUT_";

    /// <summary><c>INPUT_NAME</c>: ASCII letters in upper case, and <c>_</c> for each other character that is no digit.</summary>
    public static string NameOf(string input) => string.Create(Prefix.Length + input.Length, input, static (text, input) =>
    {
        Prefix.CopyTo(text);
        for (var i = 0; i < input.Length; i++) text[Prefix.Length + i] = char.IsAsciiLetterOrDigit(input[i]) ? char.ToUpperInvariant(input[i]) : '_';
    });

    /// <summary>A string's characters, nothing for null, and the JSON text of any other value.</summary>
    public static string ValueOf(JsonElement input) => input.ValueKind switch
    {
        JsonValueKind.String => JsonText.StringOf(input),
        JsonValueKind.Null => "",
        JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => input.GetRawText(),
        JsonValueKind.Undefined => throw new ArgumentException("There is no value.", nameof(input)),
    };

    /// <summary>Two names that become one variable, or null.</summary>
    public static (string First, string Second)? Clash(IEnumerable<string> inputs)
    {
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var input in inputs)
        {
            if (!seen.TryAdd(NameOf(input), input)) return (seen[NameOf(input)], input);
        }

        return null;
    }
}
