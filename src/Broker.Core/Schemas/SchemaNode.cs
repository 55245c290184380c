using System.Text.Json;

namespace Broker.Core.Schemas;

/// <summary>One compiled schema: the rules a value must keep. Filled after it is made, since schemas may refer to one another.</summary>
internal sealed class SchemaNode(string pointer)
{
    private JsonTypes? admitted;

    /// <summary>Where the schema stands, for problems found after compiling.</summary>
    public string Pointer { get; } = pointer;

    public IReadOnlyList<Rule> Rules { get; set; } = [];

    /// <summary>Types a value may have at all. Only asked once the compiler has ruled out references that circle in place.</summary>
    public JsonTypes Admitted => admitted ??= Rules.Aggregate(JsonTypes.Any, (types, rule) => types & rule.Admitted);

    /// <summary>True where the schema is a tag that distinguishes the members of a union: a const or an enum.</summary>
    public bool IsTag => Rules.Any(rule => rule is EnumRule);

    public bool Check(JsonElement value, Evaluation run)
    {
        if (!run.Enter()) return false;
        var valid = true;
        foreach (var rule in Rules)
        {
            if (rule.Check(value, run)) continue;
            valid = false;
            // For a value of the wrong type, further errors add nothing.
            if (run.IsQuiet || rule is TypeRule) break;
        }

        run.Leave();
        return valid;
    }

    /// <summary>Whether a member of a union is the one the value was meant for: right type, and its tags agree.</summary>
    public bool Resembles(JsonElement value, JsonTypes actual, Evaluation run) =>
        (Admitted & actual) != 0 && Rules.All(rule => rule.Resembles(value, actual, run));
}
