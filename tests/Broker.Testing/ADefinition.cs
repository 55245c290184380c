using System.Text.Json;
using Broker.Core.Definitions;

namespace Broker.Testing;

/// <summary>Definitions for tests, from their documents.</summary>
internal static class ADefinition
{
    /// <summary>Reads a document; a faulty definition fails the test.</summary>
    public static WorkflowDefinition Of(string document)
    {
        using var parsed = JsonDocument.Parse(document);
        var reading = DefinitionReader.Read(parsed.RootElement);
        return reading.Definition ?? throw new InvalidOperationException(string.Join("; ", reading.Problems));
    }

    /// <summary>Broker-dialect steps, each <c>name</c> or <c>name&lt;-predecessor+predecessor</c>.</summary>
    public static WorkflowDefinition Graph(string name, params string[] steps) => Of(Document(name, "1", "", steps));

    /// <summary>Jobs: the same notation, with a command and success of all dependencies needed.</summary>
    public static WorkflowDefinition Jobs(string name, params string[] steps)
    {
        var parts = steps.Select(s => s.Split("<-")).Select(s =>
            $$"""{{Quote(s[0])}}: {"depends_on": [{{Names(s)}}], "command": "true"}""");
        return Of($$"""{"workflow_id": {{Quote(name)}}, "jobs": {"name": {{Quote(name)}}, "trigger": "on: push"}, "steps": { {{string.Join(", ", parts)}} } }""");
    }

    public static string Document(string name, string version, string extra, params string[] steps)
    {
        var parts = steps.Select(s => s.Split("<-")).Select(s => $$"""{{Quote(s[0])}}: {"name": {{Quote(s[0])}}, "predecessors": [{{Names(s)}}], "successors": {"default": [{{string.Join(", ",
            steps.Select(t => t.Split("<-")).Where(t => t.Length > 1 && t[1].Split('+').Contains(s[0])).Select(t => Quote(t[0])))}}]} }""");
        return $$"""{"workflow_id": {{Quote(name)}}, "version": {{Quote(version)}}, {{extra}} "steps": { {{string.Join(", ", parts)}} } }""";
    }

    private static string Names(string[] step) => step.Length < 2 ? "" : string.Join(", ", step[1].Split('+').Select(Quote));

    private static string Quote(string text) => JsonSerializer.Serialize(text);
}
