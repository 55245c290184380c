using System.Text.Json;

namespace Broker.Worker;

/// <summary>The inputs of a run as variables of its jobs.</summary>
internal static class JobInputs
{
    /// <summary><c>INPUT_NAME</c> for each input: a string as it is, nothing for null, and the JSON text of any other value.</summary>
    /// <exception cref="FormatException">A value is no text.</exception>
    public static IEnumerable<KeyValuePair<string, string>> VariablesOf(ClaimedJob job)
    {
        if (job.Inputs is not { ValueKind: JsonValueKind.Object } inputs) return [];
        try
        {
            return [.. inputs.EnumerateObject().Select(input => KeyValuePair.Create(NameOf(input.Name), ValueOf(input.Value)))];
        }
        catch (InvalidOperationException broken)
        {
            throw new FormatException("an input holds half of a surrogate pair", broken);
        }
    }

    private static string NameOf(string input) =>
        $"INPUT_{string.Concat(input.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_'))}";

    private static string ValueOf(JsonElement input) => input.ValueKind switch
    {
        JsonValueKind.String => input.GetString()!,
        JsonValueKind.Null => "",
        _ => input.GetRawText(),
    };
}
