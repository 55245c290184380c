namespace Broker.Tests.InstancesDialect;

/// <summary>Definitions under names of their own, so that tests share a database and not a workflow.</summary>
internal static class Flows
{
    public static string Name(string kind) => $"{kind}-{Guid.NewGuid():N}";

    /// <summary>One task.</summary>
    public static string One(string name, string members = "") =>
        $$$$$"""{"workflow_id":"{{{{{name}}}}}","version":"1","steps":{"work":{"name":"work"{{{{{members}}}}} } } }""";

    /// <summary>Two tasks, one after the other.</summary>
    public static string Two(string name) => $$$$$"""
        {"workflow_id":"{{{{{name}}}}}","version":"1","steps":{
          "first":{"successors":{"default":["second"]}},
          "second":{"predecessors":["first"]}}}
        """;

    /// <summary>A task, then a wait for <c>go</c>, then a task.</summary>
    public static string Waiting(string name, int timeoutMs = 900000) => $$$$$"""
        {"workflow_id":"{{{{{name}}}}}","version":"1","steps":{
          "prepare":{"successors":{"default":["gate"]}},
          "gate":{"kind":"waitForEvent","event":"go","timeout_ms":{{{{{timeoutMs}}}}},"predecessors":["prepare"],"successors":{"default":["finish"]}},
          "finish":{"predecessors":["gate"]}}}
        """;

    /// <summary>Two waits for <c>go</c> from the start.</summary>
    public static string TwoWaits(string name) => $$$$$"""
        {"workflow_id":"{{{{{name}}}}}","version":"1","steps":{
          "a":{"kind":"waitForEvent","event":"go","timeout_ms":900000},
          "b":{"kind":"waitForEvent","event":"go","timeout_ms":900000}}}
        """;

    /// <summary>Prepare, sleep, wait for an approval, finish.</summary>
    public static string Approval(string name, int sleepMs) => $$$$$"""
        {"workflow_id":"{{{{{name}}}}}","version":"1","steps":{
          "prepare":{"successors":{"default":["cool-down"]}},
          "cool-down":{"kind":"sleep","duration_ms":{{{{{sleepMs}}}}},"predecessors":["prepare"],"successors":{"default":["wait-approval"]}},
          "wait-approval":{"kind":"waitForEvent","event":"approval","timeout_ms":900000,"predecessors":["cool-down"],"successors":{"default":["finish"]}},
          "finish":{"predecessors":["wait-approval"]}}}
        """;

    /// <summary>One task whose params must have a number <c>amount</c>.</summary>
    public static string Strict(string name) => $$$$$"""
        {"workflow_id":"{{{{{name}}}}}","version":"1","steps":{"work":{}},
         "events":{"StartEvent":{"schema":{"type":"object","properties":{"amount":{"type":"number"}},"required":["amount"]}}}}
        """;
}
