using System.Text.Json;

namespace Broker.Tests.BrokerDialect;

/// <summary>Workflow schemas as a stock client sends them: all fields, in its order.</summary>
internal static class Flows
{
    /// <summary>A name that no other test uses: tests share one broker.</summary>
    public static string NewName(string stem) => $"{stem}-{Guid.NewGuid():N}";

    public static string Schema(string name, string version, params string[] steps) =>
        $$"""{"workflow_id":"{{name}}","version":"{{version}}","steps":{{{string.Join(',', steps)}}},"outputs":[],"policies":[]}""";

    public static string Step(
        string name, string after = "[]", string next = "{}", string groups = "{}", string policies = "[]", string more = "") =>
        $$"""
        "{{name}}":{"name":"{{name}}","successors":{{next}},"predecessors":{{after}},"or_groups":{{groups}},"policies":{{policies}}{{more}}}
        """.Trim();

    /// <summary>One step.</summary>
    public static string Single(string name, string version = "1", string policies = "[]", string more = "") =>
        Schema(name, version, Step("step0", policies: policies, more: more));

    /// <summary>step0 → step1 → …</summary>
    public static string Chain(string name, int length) => Schema(name, "1", [.. Enumerable.Range(0, length).Select(i => Step(
        $"step{i}",
        i == 0 ? "[]" : $"""["step{i - 1}"]""",
        i == length - 1 ? "{}" : $$"""{"default":["step{{i + 1}}"]}"""))]);

    /// <summary>step0 and step1, both before step2.</summary>
    public static string Diamond(string name) => Schema(
        name,
        "1",
        Step("step0", next: """{"default":["step2"]}"""),
        Step("step1", next: """{"default":["step2"]}"""),
        Step("step2", """["step0","step1"]"""));

    /// <summary>
    /// split → left | right | other → join (any of the three, left named first) → end; side → end.
    /// </summary>
    public static string Branching(string name) => Schema(
        name,
        "1",
        Step("split", next: """{"left":["left"],"right":["right"],"default":["other"]}"""),
        Step("side", next: """{"default":["end"]}"""),
        Step("left", """["split"]""", """{"default":["join"]}"""),
        Step("right", """["split"]""", """{"default":["join"]}"""),
        Step("other", """["split"]""", """{"default":["join"]}"""),
        Step("join", """["left","right","other"]""", """{"default":["end"]}""", """{"source":["left","right","other"]}"""),
        Step("end", """["join","side"]"""));

    public static IEnumerable<string> Keys(this JsonElement value) => value.EnumerateObject().Select(m => m.Name);

    public static JsonElement Results(this JsonElement assignment) => assignment.GetProperty("payload").GetProperty("results");
}
