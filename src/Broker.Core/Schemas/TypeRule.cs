using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary><c>type</c>, one name or several.</summary>
internal sealed class TypeRule(JsonTypes types) : Rule
{
    public override JsonTypes Admitted => types;

    public static TypeRule? Read(SchemaReader reader)
    {
        if (!reader.TryTake("type", out var value)) return null;
        var names = value.ValueKind is JsonValueKind.String ? [JsonText.StringOf(value)] : reader.Texts("type", value);
        var types = JsonTypes.None;
        foreach (var name in names)
        {
            if (!JsonTypeNames.TryParse(name, out var one)) reader.Problem("type", $"\"{name}\" is not a JSON type");
            types |= one;
        }

        return new TypeRule(types);
    }

    public override bool Check(JsonElement value, Evaluation run)
    {
        var actual = JsonTypeNames.Of(value);
        return (types & actual) != 0 || run.Fail($"expected {JsonTypeNames.Describe(types)}, got {JsonTypeNames.Describe(actual)}");
    }
}

/// <summary>The schema <c>false</c>.</summary>
internal sealed class NothingRule : Rule
{
    public static readonly NothingRule Instance = new();

    public override JsonTypes Admitted => JsonTypes.None;

    public override bool Check(JsonElement value, Evaluation run) => run.Fail("not allowed");
}
