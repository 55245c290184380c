using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary><c>$ref</c>, beside whatever else the schema says.</summary>
internal sealed class ReferenceRule(SchemaNode target) : Rule
{
    public override IEnumerable<SchemaNode> InPlace => [target];

    public override JsonTypes Admitted => target.Admitted;

    public static ReferenceRule? Read(SchemaReader reader) => reader.Reference("$ref") is { } target ? new ReferenceRule(target) : null;

    public override bool Resembles(JsonElement value, JsonTypes actual, Evaluation run) => target.Resembles(value, actual, run);

    public override bool Check(JsonElement value, Evaluation run) => target.Check(value, run);
}

internal sealed class AllOfRule(IReadOnlyList<SchemaNode> parts) : Rule
{
    public override IEnumerable<SchemaNode> InPlace => parts;

    public override JsonTypes Admitted => parts.Aggregate(JsonTypes.Any, (types, part) => types & part.Admitted);

    public static AllOfRule? Read(SchemaReader reader) => reader.Schemas("allOf") is { } parts ? new AllOfRule(parts) : null;

    public override bool Check(JsonElement value, Evaluation run)
    {
        var valid = true;
        foreach (var part in parts)
        {
            valid &= part.Check(value, run);
            if (!valid && run.IsQuiet) return false;
        }

        return valid;
    }
}

internal sealed class NotRule(SchemaNode excluded) : Rule
{
    public override IEnumerable<SchemaNode> InPlace => [excluded];

    public static NotRule? Read(SchemaReader reader) => reader.Schema("not") is { } excluded ? new NotRule(excluded) : null;

    public override bool Check(JsonElement value, Evaluation run) =>
        !run.Holds(excluded, value) || run.Fail("expected a value other than those the schema excludes");
}

/// <summary><c>if</c>, <c>then</c>, <c>else</c>; without <c>if</c> the others say nothing.</summary>
internal sealed class ConditionRule(SchemaNode condition, SchemaNode? then, SchemaNode? otherwise) : Rule
{
    public override IEnumerable<SchemaNode> InPlace => new[] { condition, then, otherwise }.OfType<SchemaNode>();

    public static ConditionRule? Read(SchemaReader reader)
    {
        var (condition, then, otherwise) = (reader.Schema("if"), reader.Schema("then"), reader.Schema("else"));
        return condition is null ? null : new ConditionRule(condition, then, otherwise);
    }

    public override bool Check(JsonElement value, Evaluation run)
    {
        var branch = run.Holds(condition, value) ? then : otherwise;
        return branch is null || branch.Check(value, run);
    }
}

internal sealed class DependentSchemasRule(IReadOnlyList<(string Name, SchemaNode Schema)> dependents) : Rule
{
    public override IEnumerable<SchemaNode> InPlace => dependents.Select(dependent => dependent.Schema);

    public static DependentSchemasRule? Read(SchemaReader reader) =>
        reader.Named("dependentSchemas") is { Count: > 0 } dependents ? new DependentSchemasRule(dependents) : null;

    public override bool Check(JsonElement value, Evaluation run)
    {
        if (value.ValueKind is not JsonValueKind.Object) return true;
        var present = value.EnumerateObject().Select(JsonText.NameOf).ToHashSet(StringComparer.Ordinal);
        var valid = true;
        foreach (var (_, schema) in dependents.Where(dependent => present.Contains(dependent.Name))) valid &= schema.Check(value, run);
        return valid;
    }
}
