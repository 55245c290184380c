using System.Text.Json;
using Broker.Core.Definitions;
using Xunit;

namespace Broker.Core.Tests.Definitions;

/// <summary>Definitions for tests, written as JSON.</summary>
internal static class Doc
{
    public static DefinitionReading Read(string json) => DefinitionReader.Read(JsonElement.Parse(json));

    /// <summary>A definition that must be accepted.</summary>
    public static WorkflowDefinition Of(string json)
    {
        var reading = Read(json);
        Assert.Empty(reading.Problems);
        return reading.Definition!;
    }

    /// <summary>A definition of these steps: <c>"a": {…}, "b": {…}</c>.</summary>
    public static WorkflowDefinition Steps(string steps) => Of(Around(steps));

    public static string Around(string steps) => $$"""{"workflow_id":"w","steps":{ {{steps}} } }""";
}
