using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary><c>enum</c> and <c>const</c>, by value.</summary>
internal sealed class EnumRule : Rule
{
    private const int LongestList = 200;

    private readonly HashSet<string> allowed;
    private readonly string expected;

    private EnumRule(IReadOnlyList<JsonElement> values, bool one)
    {
        allowed = values.Select(CanonicalJson.Of).ToHashSet(StringComparer.Ordinal);
        Admitted = values.Aggregate(JsonTypes.None, (types, value) => types | JsonTypeNames.Of(value));
        var list = string.Join(", ", values.Select(value => value.ValueKind is JsonValueKind.Number ? value.GetRawText() : CanonicalJson.Of(value)));
        expected = (one ? "expected " : "expected one of ") + (list.Length <= LongestList ? list : list[..LongestList] + "…");
    }

    public override JsonTypes Admitted { get; }

    public static EnumRule? Read(SchemaReader reader)
    {
        EnumRule? rule = null;
        if (reader.TryTake("enum", out var list))
        {
            if (list.ValueKind is JsonValueKind.Array) rule = new EnumRule([.. list.EnumerateArray()], one: false);
            else reader.Problem("enum", "must be a list");
        }

        if (!reader.TryTake("const", out var value)) return rule;
        // Enum and const together permit the constant, if the list has it, or no value.
        var constant = new EnumRule([value], one: true);
        if (rule is not null) constant.allowed.IntersectWith(rule.allowed);
        return constant;
    }

    public override bool Check(JsonElement value, Evaluation run) =>
        run.Canonical(value) is { } text && (allowed.Contains(text) || run.Fail(expected));
}
