using System.Text.Json;

namespace Broker.Core.Schemas;

/// <summary>One compiled keyword, or a few that are judged together.</summary>
internal abstract class Rule
{
    /// <summary>Schemas this rule applies to the very same value; a circle of these would never end.</summary>
    public virtual IEnumerable<SchemaNode> InPlace => [];

    /// <summary>Types the rule lets through at best.</summary>
    public virtual JsonTypes Admitted => JsonTypes.Any;

    /// <summary>False where the rule shows that the value was not written for this member of a union.</summary>
    public virtual bool Resembles(JsonElement value, JsonTypes actual, Evaluation run) => true;

    /// <summary>Judges the value; a false answer has been reported to the run.</summary>
    public abstract bool Check(JsonElement value, Evaluation run);
}
