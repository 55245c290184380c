using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>The list of a map, or why there is none.</summary>
public sealed class ItemList
{
    /// <summary>Name of the failure of a map whose list is none.</summary>
    public const string FaultName = "NotAList";

    private readonly JsonElement[] values;

    private ItemList(JsonElement[] values, string? fault, int bytes) => (this.values, Fault, Bytes) = (values, fault is null ? null : new(FaultName, fault), bytes);

    public int Count => values.Length;

    /// <summary>Why the map fails; null: there is a list.</summary>
    public StepError? Fault { get; }

    /// <summary>Bytes that it takes, roughly: of its text, of what was parsed, and of the references.</summary>
    public int Bytes { get; }

    /// <summary>Raw JSON of one value.</summary>
    public string this[int number] => values[number].GetRawText();

    /// <summary>Takes the list out of a result or of the inputs.</summary>
    /// <param name="place">Where it is.</param>
    /// <param name="json">Raw JSON of the result or of the inputs; null: the step gave no result.</param>
    public static ItemList Read(ItemPlace place, string? json)
    {
        if (json is null) return Refused(place, "the step gave no result");
        var value = JsonElement.Parse(json);
        foreach (var member in place.Path)
        {
            if (value.ValueKind is not JsonValueKind.Object) return Refused(place, $"'{member}' is looked for in {JsonText.KindOf(value)}, expected an object");
            if (!value.TryGetProperty(member, out value)) return Refused(place, $"there is no member '{member}'");
        }

        if (value.ValueKind is not JsonValueKind.Array) return Refused(place, $"expected a list, got {JsonText.KindOf(value)}");
        var length = value.GetArrayLength();
        if (length > MapDefinition.MostItems) return Refused(place, $"it has {length} items, and a map takes at most {MapDefinition.MostItems}");
        return new([.. value.EnumerateArray()], null, (4 * json.Length) + (24 * length));
    }

    private static ItemList Refused(ItemPlace place, string why) => new([], $"{place.Text}: {why}", 0);
}
