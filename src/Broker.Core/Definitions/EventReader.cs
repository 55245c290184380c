using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Core.Schemas;

namespace Broker.Core.Definitions;

/// <summary>Reads the events of a definition: declared ones with their schemas, and those that steps only name.</summary>
internal static class EventReader
{
    private static readonly string[] BuiltIn = ["StartEvent", "StopEvent", "InputRequiredEvent", "HumanResponseEvent"];

    public static EventCatalog Read(JsonElement document, string workflow, IReadOnlyList<StepDraft> steps, ProblemList problems)
    {
        var start = problems.Text(document, "start_event", "") ?? EventCatalog.DefaultStart;
        var stop = problems.Text(document, "stop_event", "") ?? EventCatalog.DefaultStop;
        var declared = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var names = new List<string> { start, stop };
        if (document.TryGetProperty("events", out var events) && events.ValueKind is not JsonValueKind.Null)
        {
            if (events.ValueKind is not JsonValueKind.Object)
            {
                problems.Add("events", "expected an object of event name to event");
            }
            else
            {
                foreach (var entry in events.EnumerateObject())
                {
                    if (!problems.IsName(entry.Name, $"events.{entry.Name}")) continue;
                    if (entry.Value.ValueKind is not JsonValueKind.Object) problems.Add($"events.{entry.Name}", "expected an object");
                    else if (!declared.TryAdd(entry.Name, entry.Value)) problems.Add($"events.{entry.Name}", "is there twice");
                    else names.Add(entry.Name);
                }
            }
        }

        foreach (var step in steps)
        {
            if (step.EventType is not null) names.Add(step.EventType);
            names.AddRange(step.Accepts);
            names.AddRange(step.Emits);
        }

        var all = ImmutableArray.CreateBuilder<EventDefinition>();
        foreach (var name in names.Distinct(StringComparer.Ordinal))
        {
            declared.TryGetValue(name, out var given);
            all.Add(ReadOne(name, given, workflow, problems));
        }

        return new EventCatalog(start, stop, all.ToImmutable());
    }

    private static EventDefinition ReadOne(string name, JsonElement given, string workflow, ProblemList problems)
    {
        var path = $"events.{name}";
        var isObject = given.ValueKind is JsonValueKind.Object;
        ImmutableArray<string> types = isObject ? [.. problems.Strings(given, "types", path)] : [];
        var qualified = (isObject ? problems.Text(given, "qualified_name", path) : null)
            ?? (BuiltIn.Contains(name) ? $"workflows.events.{name}" : $"{workflow}.{name}");

        JsonObject shown;
        var declares = false;
        if (isObject && given.TryGetProperty("schema", out var schema) && schema.ValueKind is not JsonValueKind.Null)
        {
            if (schema.ValueKind is not JsonValueKind.Object)
            {
                problems.Add($"{path}.schema", "expected a JSON schema object");
                shown = [];
            }
            else
            {
                shown = JsonObject.Create(schema)!;
                declares = true;
            }
        }
        else
        {
            shown = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject() };
        }

        if (!shown.ContainsKey("title")) shown.Insert(0, "title", name);
        var text = shown.ToJsonString();
        using var parsed = JsonDocument.Parse(text);
        if (!JsonSchema.TryCompile(parsed.RootElement.Clone(), out var compiled, out var faults))
        {
            foreach (var fault in faults) problems.Add($"{path}.schema", fault);
        }

        return new EventDefinition(name, types, qualified, text, compiled) { IsDeclared = declares };
    }
}
