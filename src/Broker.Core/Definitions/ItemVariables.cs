using System.Globalization;
using System.Text.Json;

namespace Broker.Core.Definitions;

/// <summary>The value of an item as environment variables of its shell command.</summary>
public static class ItemVariables
{
    /// <summary>Name of the variable with the value.</summary>
    public const string Value = "ITEM";

    /// <summary>Name of the variable with the place in the list, from 0.</summary>
    public const string Number = "ITEM_INDEX";

    /// <param name="itemJson">Raw JSON of the value.</param>
    /// <param name="number">Place in the list.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> Of(string itemJson, int number)
    {
        var text = InputVariables.ValueOf(JsonElement.Parse(itemJson));

        // No variable holds NUL: such a text stays JSON.
        return [new(Value, text.Contains('\0', StringComparison.Ordinal) ? itemJson : text), new(Number, number.ToString(CultureInfo.InvariantCulture))];
    }
}
