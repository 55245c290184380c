using System.Collections.Immutable;
using Broker.Core.Schemas;

namespace Broker.Core.Definitions;

/// <summary>One registered event: its name, ancestor kinds (nearest first), dotted name and JSON schema (raw).</summary>
public sealed record EventDefinition(string Name, ImmutableArray<string> Types, string QualifiedName, string SchemaJson, JsonSchema? Schema);

/// <summary>The events of a workflow, in order of registration: start, stop, declared, then those that steps name.</summary>
public sealed record EventCatalog(string Start, string Stop, ImmutableArray<EventDefinition> All)
{
    public const string DefaultStart = "StartEvent";
    public const string DefaultStop = "StopEvent";

    public EventDefinition StartEvent => Find(Start)!;
    public EventDefinition StopEvent => Find(Stop)!;

    /// <summary>The workflow ends with an event of its own: its fields are the result.</summary>
    public bool HasCustomStop => Stop != DefaultStop;

    public EventDefinition? Find(string name)
    {
        foreach (var known in All)
        {
            if (known.Name == name) return known;
        }

        return null;
    }
}
