using System.Text;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>The value of a whole run (design 2.7): results of the output steps that ran; one → itself, several → object by step.</summary>
public static class FinalValue
{
    /// <param name="definition">Names the output steps.</param>
    /// <param name="finished">Raw result of each finished output step by index, null where it gave none.</param>
    public static string Of(WorkflowDefinition definition, IReadOnlyDictionary<int, string?> finished)
    {
        var ran = definition.ResultSteps.Where(finished.ContainsKey).ToList();
        if (ran.Count == 0) return "null";
        if (ran.Count == 1) return finished[ran[0]] ?? "null";

        var text = new StringBuilder("{");
        foreach (var index in ran)
        {
            if (text.Length > 1) text.Append(',');
            text.Append(JsonSerializer.Serialize(definition.Steps[index].Name)).Append(':').Append(finished[index] ?? "null");
        }

        return text.Append('}').ToString();
    }

    /// <summary>Why the workflow's stop event cannot carry the value; null when it can. A value for the default stop event is its field <c>result</c>.</summary>
    public static StepError? Fault(EventCatalog events, string valueJson)
    {
        if (events.HasCustomStop && !IsObject(valueJson))
            return new("TypeError", $"the result is no object, so the stop event {events.Stop} cannot carry it");
        if (events.StopEvent is not { IsDeclared: true } stop) return null;
        var fields = events.HasCustomStop ? valueJson : valueJson == "null" ? "{}" : $$"""{"result":{{valueJson}}}""";
        var errors = stop.Errors(fields, allowsMore: true);
        return errors.Count == 0 ? null : new("ValidationError", $"the result does not fit the schema of the stop event {events.Stop}: {string.Join("; ", errors)}");
    }

    public static bool IsObject(string json) => json.AsSpan().TrimStart().StartsWith("{");
}
