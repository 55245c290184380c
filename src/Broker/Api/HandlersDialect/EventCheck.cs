using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Http;

namespace Broker.Api.HandlersDialect;

/// <summary>Judges the fields of an event by its schema. Undeclared fields are never an error (handlers contract 5.1, 13).</summary>
internal static class EventCheck
{
    /// <summary>What is wrong, for people; null when nothing is.</summary>
    public static string? Problem(EventDefinition definition, string fieldsJson)
    {
        if (definition.Schema is not { } schema) return null;
        var errors = schema.Validate(JsonElement.Parse(fieldsJson, Depth));

        // Models that forbid extra fields say so in their schema, yet clients may send them all the same: look again without them.
        if (errors.Count > 0 && Declared(definition, fieldsJson) is { } declared) errors = schema.Validate(JsonElement.Parse(declared, Depth));
        return errors.Count == 0 ? null : string.Join("; ", errors);
    }

    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = JsonBody.MaxDepth };

    /// <summary>The fields that the schema names, or null when it allows every other one anyhow.</summary>
    private static string? Declared(EventDefinition definition, string fieldsJson)
    {
        var schema = JsonElement.Parse(definition.SchemaJson);
        if (!schema.TryMember("additionalProperties", out _) || schema.TryMember("patternProperties", out _)) return null;
        var names = schema.TryMember("properties", out var properties)
            ? properties.EnumerateObject().Select(JsonText.NameOf).ToHashSet(StringComparer.Ordinal)
            : [];
        return RawJson.Join(JsonElement.Parse(fieldsJson, Depth).EnumerateObject().Where(member => names.Contains(JsonText.NameOf(member))));
    }
}
