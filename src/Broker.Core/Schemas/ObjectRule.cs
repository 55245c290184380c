using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary>Everything about the members of an object, in one pass over them.</summary>
internal sealed class ObjectRule : Rule
{
    private Dictionary<string, SchemaNode> properties = [];
    private List<(Regex Pattern, SchemaNode Schema)> patterns = [];
    private SchemaNode? additional;
    private SchemaNode? names;
    private IReadOnlyList<string> required = [];
    private IReadOnlyList<(string Name, IReadOnlyList<string> Needs)> dependent = [];
    private int minimum;
    private int maximum = int.MaxValue;

    public static ObjectRule? Read(SchemaReader reader)
    {
        var rule = new ObjectRule
        {
            properties = reader.Named("properties").ToDictionary(p => p.Name, p => p.Schema, StringComparer.Ordinal),
            patterns = Patterns(reader),
            additional = reader.Schema("additionalProperties"),
            names = reader.Schema("propertyNames"),
            required = reader.Texts("required"),
            dependent = Dependent(reader),
            minimum = reader.Count("minProperties") ?? 0,
            maximum = reader.Count("maxProperties") ?? int.MaxValue,
        };
        var empty = rule.properties.Count == 0 && rule.patterns.Count == 0 && rule.additional is null && rule.names is null
            && rule.required.Count == 0 && rule.dependent.Count == 0 && rule.minimum == 0 && rule.maximum == int.MaxValue;
        return empty ? null : rule;
    }

    public override bool Check(JsonElement value, Evaluation run)
    {
        if (value.ValueKind is not JsonValueKind.Object) return true;
        var valid = true;
        var present = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            var name = JsonText.NameOf(member);
            present.Add(name);
            valid &= CheckMember(member, name, run);
            if (run.IsOver || (run.IsQuiet && !valid)) return false;
        }

        foreach (var name in required.Where(name => !present.Contains(name))) valid = run.FailAt(name, "field required");
        foreach (var (name, needs) in dependent.Where(d => present.Contains(d.Name)))
        {
            foreach (var need in needs.Where(need => !present.Contains(need))) valid = run.FailAt(need, $"field required beside {name}");
        }

        if (present.Count < minimum) valid = run.Fail($"expected at least {minimum} {(minimum == 1 ? "field" : "fields")}, got {present.Count}");
        if (present.Count > maximum) valid = run.Fail($"expected at most {maximum} {(maximum == 1 ? "field" : "fields")}, got {present.Count}");
        return valid;
    }

    /// <summary>Compares only the tags, so that a wrong value elsewhere still belongs to the member it was written for.</summary>
    public override bool Resembles(JsonElement value, JsonTypes actual, Evaluation run) =>
        actual is not JsonTypes.Object
        || value.EnumerateObject().All(member =>
            !properties.TryGetValue(JsonText.NameOf(member), out var schema) || !schema.IsTag || run.Holds(schema, member.Value));

    private bool CheckMember(JsonProperty member, string name, Evaluation run)
    {
        var valid = names is null || run.CheckMember(name, JsonText.NameAsValue(member), names);
        var known = properties.TryGetValue(name, out var schema);
        if (schema is not null) valid &= run.CheckMember(name, member.Value, schema);
        foreach (var (pattern, patterned) in patterns)
        {
            if (!PatternCompiler.IsMatch(pattern, name, run)) continue;
            known = true;
            valid &= run.CheckMember(name, member.Value, patterned);
        }

        return (known || additional is null || run.CheckMember(name, member.Value, additional)) && valid;
    }

    private static List<(Regex Pattern, SchemaNode Schema)> Patterns(SchemaReader reader)
    {
        var patterns = new List<(Regex Pattern, SchemaNode Schema)>();
        foreach (var (source, schema) in reader.Named("patternProperties"))
        {
            if (reader.Pattern("patternProperties", source) is { } pattern) patterns.Add((pattern, schema));
        }

        return patterns;
    }

    private static IReadOnlyList<(string Name, IReadOnlyList<string> Needs)> Dependent(SchemaReader reader)
    {
        if (!reader.TryTake("dependentRequired", out var value)) return [];
        if (value.ValueKind is JsonValueKind.Object)
            return [.. value.EnumerateObject().Select(member => (JsonText.NameOf(member), reader.Texts("dependentRequired", member.Value)))];
        reader.Problem("dependentRequired", "must be an object of lists");
        return [];
    }
}
