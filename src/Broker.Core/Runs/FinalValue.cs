using System.Text;
using System.Text.Json;
using Broker.Core.Definitions;

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

    public static bool IsObject(string json) => json.AsSpan().TrimStart().StartsWith("{");
}
