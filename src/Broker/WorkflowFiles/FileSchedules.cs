using System.Text;
using System.Text.Json;

namespace Broker.WorkflowFiles;

/// <summary>
/// The list <c>on.schedule</c>, written as the definition document has it. The definition's own check reads the values; keys are checked here, where a
/// misspelt one gets a hint.
/// </summary>
internal static class FileSchedules
{
    /// <summary>Place of the list; with an index, of one schedule.</summary>
    public const string Place = "on.schedule";

    /// <summary>The schedules as a JSON array; null when there are none.</summary>
    public static string? Read(FieldReader trigger, Dictionary<string, int> lines)
    {
        var entries = new List<string>();
        foreach (var item in trigger.Items("schedule"))
        {
            var path = $"{Place}[{entries.Count}]";
            if (item is not MappingNode mapping)
            {
                trigger.Problems.Add(item.Line, path, $"must be a mapping such as {{ cron: '0 3 * * *' }}, not {item.Description}");
                continue;
            }

            new FieldReader(mapping, path, item.Line, trigger.Problems).Only(KnownKeys.Schedule);
            lines[path] = item.Line;
            entries.Add(JsonOf(mapping));
        }

        return entries.Count > 0 ? $"[{string.Join(',', entries)}]" : null;
    }

    private static string JsonOf(Node node)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) Write(json, node);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Write(Utf8JsonWriter json, Node node)
    {
        switch (node)
        {
            case MappingNode mapping:
                json.WriteStartObject();
                foreach (var (key, entry) in mapping.Entries)
                {
                    json.WritePropertyName(key);
                    Write(json, entry.Value);
                }

                json.WriteEndObject();
                break;
            case SequenceNode list:
                json.WriteStartArray();
                foreach (var item in list.Items) Write(json, item);
                json.WriteEndArray();
                break;
            case ScalarNode { Kind: ScalarKind.Null }:
                json.WriteNullValue();
                break;
            case ScalarNode { Kind: ScalarKind.Boolean } flag:
                json.WriteBooleanValue(flag.Text is "true" or "True" or "TRUE");
                break;
            case ScalarNode { Kind: ScalarKind.Number } number when FileInput.IsJson(number.Text):
                json.WriteRawValue(number.Text);
                break;
            case ScalarNode scalar:
                json.WriteStringValue(scalar.Text);
                break;
        }
    }
}
