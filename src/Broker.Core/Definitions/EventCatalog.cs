using System.Collections.Immutable;
using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Schemas;

namespace Broker.Core.Definitions;

/// <summary>One registered event: its name, ancestor kinds (nearest first), dotted name and JSON schema (raw).</summary>
public sealed record EventDefinition(string Name, ImmutableArray<string> Types, string QualifiedName, string SchemaJson, JsonSchema? Schema)
{
    // A result may nest deeper than a request, since the final value wraps it; the check of the schema has its own bound.
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 1000 };

    /// <summary>Fields that no schema judges.</summary>
    public static EventDefinition Any { get; } = new("", [], "", "{}", null);

    /// <summary>The definition gives the schema; else it stands for any object.</summary>
    public bool IsDeclared { get; init; }

    /// <summary>Errors of an event's fields; empty when there are none.</summary>
    /// <param name="fieldsJson">Raw JSON object.</param>
    /// <param name="allowsMore">
    /// Fields that the schema does not name are no error (handlers contract 5.1, 13). Models that forbid more say so in their schema; clients
    /// send more all the same.
    /// </param>
    public IReadOnlyList<SchemaError> Errors(string fieldsJson, bool allowsMore)
    {
        if (Schema is not { } schema) return [];
        var fields = JsonElement.Parse(fieldsJson, Depth);
        var errors = schema.Validate(fields);
        return errors.Count > 0 && allowsMore && fields.ValueKind is JsonValueKind.Object && Named(fields) is { } named
            ? schema.Validate(JsonElement.Parse(named, Depth))
            : errors;
    }

    /// <summary>The fields that the schema names, or null when it allows each other one anyhow.</summary>
    private string? Named(JsonElement fields)
    {
        var schema = JsonElement.Parse(SchemaJson);
        if (!schema.TryGetProperty("additionalProperties", out _) || schema.TryGetProperty("patternProperties", out _)) return null;
        var names = schema.TryGetProperty("properties", out var properties)
            ? properties.EnumerateObject().Select(JsonText.NameOf).ToHashSet(StringComparer.Ordinal)
            : [];
        return JsonText.ObjectOf(fields.EnumerateObject().Where(member => names.Contains(JsonText.NameOf(member))));
    }
}

/// <summary>The events of a workflow, in order of registration: start, stop, declared, then those that steps name.</summary>
public sealed record EventCatalog(string Start, string Stop, ImmutableArray<EventDefinition> All)
{
    public const string DefaultStart = "StartEvent";
    public const string DefaultStop = "StopEvent";

    public EventDefinition StartEvent => Find(Start)!;
    public EventDefinition StopEvent => Find(Stop)!;

    /// <summary>The workflow ends with an event of its own: its fields are the result.</summary>
    public bool HasCustomStop => Stop != DefaultStop;

    /// <summary>Whether people answer the event: the broker's clients mark such events by an ancestor.</summary>
    public bool IsForPeople(string name) => Find(name)?.Types.Contains("HumanResponseEvent") is true;

    public EventDefinition? Find(string name)
    {
        foreach (var known in All)
        {
            if (known.Name == name) return known;
        }

        return null;
    }
}
