using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Xunit;

namespace Broker.Tests.HandlersDialect;

/// <summary>Definitions that the tests of this dialect start.</summary>
internal static class Definitions
{
    /// <summary>Asks for a name and waits for it: human in the loop (handlers contract 13).</summary>
    public const string Ask = """
        {"workflow_id":"ask","version":"1","outputs":["reply"],"start_event":"AskStart",
         "events":{
          "AskStart":{"types":["StartEvent"],"qualified_name":"ask.AskStart","schema":{"type":"object","properties":{"topic":{"type":"string"}},"required":["topic"]}},
          "NameAsked":{"types":["InputRequiredEvent"],"schema":{"type":"object","properties":{"prompt":{"type":"string"}}}},
          "NameGiven":{"types":["HumanResponseEvent"],"schema":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false}},
          "Progress":{"schema":{"type":"object","properties":{"pct":{"type":"integer"}}}}},
         "steps":{
          "ask":{"name":"ask","predecessors":[],"successors":{"default":["await_name"]},"emits":["NameAsked"]},
          "await_name":{"name":"await_name","kind":"waitForEvent","event":"NameGiven","timeout_ms":60000,"predecessors":["ask"],"successors":{"default":["reply"]}},
          "reply":{"name":"reply","predecessors":["await_name"],"successors":{}}}}
        """;

    /// <summary>One step, default events.</summary>
    public const string Greet = """{"workflow_id":"greet","version":"1","steps":{"hello":{"name":"hello","predecessors":[],"successors":{}}}}""";

    /// <summary>A stop event of its own.</summary>
    public const string Total = """
        {"workflow_id":"total","version":"1","stop_event":"Totalled","events":{"Totalled":{"schema":{"type":"object","properties":{"sum":{"type":"number"}}}}},
         "steps":{"sum":{"name":"sum","predecessors":[],"successors":{}}}}
        """;

    public static WorkflowDefinition Read(string document)
    {
        var reading = DefinitionReader.Read(JsonElement.Parse(document));
        Assert.Empty(reading.Problems);
        return reading.Definition!;
    }

    public static RunView Run(string document, RunStatus status, string? resultJson = null, StepError? error = null)
    {
        var definition = Read(document);
        var at = new DateTimeOffset(2026, 3, 1, 9, 15, 2, TimeSpan.Zero).AddMicroseconds(104233);
        return new RunView
        {
            Ref = new(31, definition.Name, "Q7fK2mZx0a", 0),
            Definition = definition,
            Status = status,
            CreatedAt = at,
            QueuedAt = at,
            UpdatedAt = at.AddSeconds(1),
            EndedAt = status is RunStatus.Succeeded or RunStatus.Failed or RunStatus.Cancelled ? at.AddSeconds(1) : null,
            InputsJson = "{}",
            ResultJson = resultJson,
            Error = error,
        };
    }
}
