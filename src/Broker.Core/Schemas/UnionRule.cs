using System.Text.Json;

namespace Broker.Core.Schemas;

/// <summary><c>anyOf</c> and <c>oneOf</c>. Most of the code finds the alternative that the value was written for, and reports the errors of that one.</summary>
internal sealed class UnionRule(IReadOnlyList<SchemaNode> alternatives, bool exactlyOne) : Rule
{
    private const int Named = 3;

    public override IEnumerable<SchemaNode> InPlace => alternatives;

    public override JsonTypes Admitted => alternatives.Aggregate(JsonTypes.None, (types, one) => types | one.Admitted);

    public static UnionRule? Read(SchemaReader reader, string keyword) =>
        reader.Schemas(keyword) is { } alternatives ? new UnionRule(alternatives, keyword == "oneOf") : null;

    public override bool Check(JsonElement value, Evaluation run)
    {
        var matches = 0;
        foreach (var alternative in alternatives)
        {
            if (!run.Holds(alternative, value)) continue;
            matches++;
            if (!exactlyOne) return true;
            if (matches > 1) return run.Fail("expected to match exactly one of the alternatives, matches several");
        }

        return matches == 1 || (!run.IsQuiet && !run.IsOver && Explain(value, run));
    }

    private bool Explain(JsonElement value, Evaluation run)
    {
        var actual = JsonTypeNames.Of(value);
        var typed = alternatives.Where(one => (one.Admitted & actual) != 0).ToList();
        if (typed.Count == 0) return run.Fail($"expected {JsonTypeNames.Describe(Admitted)}, got {JsonTypeNames.Describe(actual)}");

        var meant = typed.Where(one => one.Resembles(value, actual, run)).ToList();
        if (meant.Count == 0) meant = typed;
        if (meant.Count == 1) return meant[0].Check(value, run);

        // Explaining unions within unions would cost 2^n for n levels.
        if (run.IsTrying) return run.Fail("matches none of the alternatives");
        var reasons = meant.Select(one => run.Try(one, value)).Where(errors => errors.Count > 0).Select(errors => errors[0].ToString()).Distinct().Take(Named);
        return run.Fail("matches none of the alternatives (" + string.Join("; ", reasons) + ")");
    }
}
