using System.Text.Json;

namespace Broker.Core.Schemas;

/// <summary>Everything about the items of an array.</summary>
internal sealed class ArrayRule : Rule
{
    private IReadOnlyList<SchemaNode> first = [];
    private SchemaNode? rest;
    private SchemaNode? contains;
    private int minimum;
    private int maximum = int.MaxValue;
    private int minContains = 1;
    private int maxContains = int.MaxValue;
    private bool unique;

    public static ArrayRule? Read(SchemaReader reader)
    {
        var rule = new ArrayRule
        {
            first = reader.Schemas("prefixItems") ?? [],
            rest = reader.Schema("items"),
            contains = reader.Schema("contains"),
            minimum = reader.Count("minItems") ?? 0,
            maximum = reader.Count("maxItems") ?? int.MaxValue,
            minContains = reader.Count("minContains") ?? 1,
            maxContains = reader.Count("maxContains") ?? int.MaxValue,
            unique = reader.Flag("uniqueItems") ?? false,
        };
        return rule.first.Count > 0 || rule.rest is not null || rule.contains is not null || rule.minimum > 0 || rule.maximum < int.MaxValue || rule.unique
            ? rule
            : null;
    }

    public override bool Check(JsonElement value, Evaluation run)
    {
        if (value.ValueKind is not JsonValueKind.Array) return true;
        var valid = CheckCount(value.GetArrayLength(), run);
        if (run.IsQuiet && !valid) return false;

        var matches = 0;
        var index = 0;
        var seen = unique ? new Dictionary<string, int>(StringComparer.Ordinal) : null;
        foreach (var item in value.EnumerateArray())
        {
            if (run.IsOver || (run.IsQuiet && !valid)) return false;
            var schema = index < first.Count ? first[index] : rest;
            if (schema is not null) valid &= run.CheckItem(index, item, schema);
            if (contains is not null && run.Holds(contains, item)) matches++;
            if (seen is not null) valid &= IsNew(item, index, seen, run);
            index++;
        }

        if (contains is null) return valid;
        if (matches < minContains) valid = run.Fail($"expected at least {minContains} matching {(minContains == 1 ? "item" : "items")}, got {matches}");
        if (matches > maxContains) valid = run.Fail($"expected at most {maxContains} matching {(maxContains == 1 ? "item" : "items")}, got {matches}");
        return valid;
    }

    private static bool IsNew(JsonElement item, int index, Dictionary<string, int> seen, Evaluation run)
    {
        if (run.Canonical(item) is not { } text) return false;
        return seen.TryAdd(text, index) || run.Fail($"expected different items, but items {seen[text]} and {index} are equal");
    }

    private bool CheckCount(int count, Evaluation run)
    {
        if (count < minimum) return run.Fail($"expected at least {minimum} {(minimum == 1 ? "item" : "items")}, got {count}");
        return count <= maximum || run.Fail($"expected at most {maximum} {(maximum == 1 ? "item" : "items")}, got {count}");
    }
}
