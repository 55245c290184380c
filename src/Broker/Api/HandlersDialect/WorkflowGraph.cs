using System.Text.Json;
using Broker.Core.Definitions;

namespace Broker.Api.HandlersDialect;

/// <summary>A workflow drawn as steps and events: the union of what both generations of clients read (handlers contract 11).</summary>
internal static class WorkflowGraph
{
    private const string External = "external_step";
    private const string InputRequired = "InputRequiredEvent";
    private const string HumanResponse = "HumanResponseEvent";

    public static void Write(Utf8JsonWriter json, WorkflowDefinition definition)
    {
        var asks = definition.Events.All.Where(e => Is(e, InputRequired)).ToList();
        json.WriteStartObject();
        json.WriteStartObject("graph");
        json.WriteString("name", definition.Name);
        json.WriteNull("description");
        json.WriteStartArray("nodes");
        foreach (var step in definition.Steps) WriteNode(json, step.Name, "step");
        foreach (var known in definition.Events.All) WriteEvent(json, definition, known);
        if (asks.Count > 0) WriteNode(json, External, "external");
        json.WriteEndArray();

        json.WriteStartArray("edges");
        WriteStepEdges(json, definition);
        foreach (var ask in asks) WriteEdge(json, IdOf(definition, ask.Name), External);
        if (asks.Count > 0)
        {
            foreach (var answer in definition.Events.All.Where(e => Is(e, HumanResponse))) WriteEdge(json, External, IdOf(definition, answer.Name));
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteStepEdges(Utf8JsonWriter json, WorkflowDefinition definition)
    {
        var results = definition.ResultSteps.ToHashSet();
        foreach (var root in definition.Roots) WriteEdge(json, IdOf(definition, definition.Events.Start), definition.Steps[root].Name);
        foreach (var step in definition.Steps)
        {
            var taken = step.EventType is null ? step.Accepts : [step.EventType, .. step.Accepts];
            foreach (var type in taken.Distinct(StringComparer.Ordinal)) WriteEdge(json, IdOf(definition, type), step.Name);
            foreach (var type in step.Emits.Distinct(StringComparer.Ordinal)) WriteEdge(json, step.Name, IdOf(definition, type));
            foreach (var (action, targets) in step.Successors.OrderBy(branch => branch.Key, StringComparer.Ordinal))
            {
                var label = action == StepDefinition.DefaultAction ? null : action;
                foreach (var target in targets) WriteEdge(json, step.Name, definition.Steps[target].Name, label);
            }

            if (results.Contains(step.Index) && !step.Emits.Contains(definition.Events.Stop)) WriteEdge(json, step.Name, IdOf(definition, definition.Events.Stop));
        }
    }

    private static void WriteNode(Utf8JsonWriter json, string name, string kind)
    {
        WriteNodeHead(json, name, name, kind);
        json.WriteNull("event_type");
        json.WriteNull("description");
        json.WriteEndObject();
    }

    private static void WriteEvent(Utf8JsonWriter json, WorkflowDefinition definition, EventDefinition known)
    {
        WriteNodeHead(json, IdOf(definition, known.Name), known.Name, "event");
        json.WriteString("event_type", known.Name);
        json.WriteStartArray("event_types");
        json.WriteStringValue(known.Name);
        foreach (var type in known.Types) json.WriteStringValue(type);
        json.WriteEndArray();
        json.WritePropertyName("event_schema");
        json.WriteRaw(known.SchemaJson);
        json.WriteEndObject();
    }

    private static void WriteNodeHead(Utf8JsonWriter json, string id, string label, string kind)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("label", label);
        json.WriteString("node_type", kind);
        json.WriteNull("title");
    }

    private static void WriteEdge(Utf8JsonWriter json, string source, string target, string? label = null)
    {
        json.WriteStartObject();
        json.WriteString("source", source);
        json.WriteString("target", target);
        json.WriteString("label", label);
        json.WriteEndObject();
    }

    private static bool Is(EventDefinition known, string kind) => known.Name == kind || known.Types.Contains(kind);

    // Nodes share one space of ids, and a step may be called like an event.
    private static string IdOf(WorkflowDefinition definition, string type) => definition.Find(type) is null && type != External ? type : $"{type} (event)";
}
