using System.Runtime.CompilerServices;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Schemas;

namespace Broker.Api.InstancesDialect;

/// <summary>The schema that params must keep: that of the start event, where the definition declares one.</summary>
internal static class ParamsSchema
{
    // Definitions are immutable and cached for good; reading a large document again for each start would cost more than the start.
    private static readonly ConditionalWeakTable<WorkflowDefinition, Declared> Known = [];

    /// <summary>What is wrong with the params; empty when nothing is, or nothing is declared.</summary>
    public static IReadOnlyList<SchemaError> Validate(WorkflowDefinition definition, string? paramsJson)
    {
        if (Known.GetValue(definition, Read).Schema is not { } schema) return [];
        using var given = JsonDocument.Parse(paramsJson ?? "{}");
        return schema.Validate(given.RootElement);
    }

    // The catalogue gives every event a schema; only the document shows whether its author wrote it.
    private static Declared Read(WorkflowDefinition definition)
    {
        using var document = JsonDocument.Parse(definition.Document);
        var declares = JsonMembers.Find(document.RootElement, "events") is { ValueKind: JsonValueKind.Object } events
            && JsonMembers.Find(events, definition.Events.Start) is { ValueKind: JsonValueKind.Object } start
            && JsonMembers.Find(start, "schema") is { ValueKind: JsonValueKind.Object };
        return new(declares ? definition.Events.StartEvent.Schema : null);
    }

    private sealed record Declared(JsonSchema? Schema);
}
