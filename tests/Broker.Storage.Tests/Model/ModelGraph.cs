using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Testing;

namespace Broker.Storage.Tests.Model;

/// <summary>One step as the reference model knows it; predecessors and successors are names.</summary>
internal sealed record ModelStep(string Name)
{
    /// <summary>All of these must finish.</summary>
    public string[] Plain { get; init; } = [];

    /// <summary>One of these is enough.</summary>
    public string[] AnyOf { get; init; } = [];

    /// <summary>Branch → steps; the branch "default" is taken when a result names none.</summary>
    public Dictionary<string, string[]> Next { get; init; } = [];

    /// <summary>The event that a wait takes.</summary>
    public string? WaitsFor { get; init; }

    public bool Sleeps { get; init; }

    public int Retries { get; init; }

    /// <summary>A retry is not due before a move lets the time pass.</summary>
    public bool RetriesLate { get; init; }

    public string? Label { get; init; }

    /// <summary>failure, always, or null: success.</summary>
    public string? When { get; init; }

    /// <summary>Its failure counts as success.</summary>
    public bool Optional { get; init; }

    /// <summary>Its group: the first failure among them cancels the others.</summary>
    public string? Group { get; init; }

    /// <summary>It has a limit for the time without a worker, and one for an attempt.</summary>
    public bool IsLimited { get; init; }

    public bool IsTask => WaitsFor is null && !Sleeps;

    public IEnumerable<string> Before => Plain.Concat(AnyOf);
}

/// <summary>
/// A small workflow in the model's own words. The document that the product reads is written from it, so that the model shares no
/// line with the product's reader or its graphs.
/// </summary>
internal sealed record ModelGraph(string Name, bool IsJobs, int MostLosses, ModelStep[] Steps)
{
    private const int AnHour = 3_600_000;

    public static IReadOnlyList<ModelGraph> All { get; } =
    [
        new("plain", false, 1,
        [
            new("a") { Next = To("b", "c"), Retries = 1 },
            new("b") { Plain = ["a"], Next = To("d") },
            new("c") { Plain = ["a"], Next = To("d", "e"), Retries = 1, RetriesLate = true },
            new("d") { Plain = ["b", "c"] },
            new("e") { Plain = ["c"] },
        ]),
        new("branch", false, 1,
        [
            new("a") { Next = new() { ["yes"] = ["b"], ["no"] = ["c"], ["default"] = ["b", "c", "d"] }, Retries = 1 },
            new("b") { Plain = ["a"], Next = To("e") },
            new("c") { Plain = ["a"], Next = To("e") },
            new("d") { Plain = ["a"], Next = To("e") },
            new("e") { AnyOf = ["b", "c", "d"] },
        ]),
        new("waits", false, 1,
        [
            new("a") { Next = To("w", "x", "nap") },
            new("w") { Plain = ["a"], Next = To("b"), WaitsFor = "go" },
            new("x") { Plain = ["a"], Next = To("b"), WaitsFor = "go" },
            new("nap") { Plain = ["a"], Next = To("b"), Sleeps = true },
            new("b") { Plain = ["w", "x", "nap"] },
        ]),
        new("chain", false, 2,
        [
            new("w") { Next = To("x"), WaitsFor = "go" },
            new("x") { Plain = ["w"], Next = To("a"), WaitsFor = "go" },
            new("a") { Plain = ["x"] },
        ]),
        new("jobs", true, 0,
        [
            new("a") { Next = To("b", "c"), Retries = 1 },
            new("b") { Plain = ["a"], Next = To("e"), Label = "gpu" },
            new("c") { Plain = ["a"], Next = To("e"), Retries = 1, RetriesLate = true },
            new("e") { Plain = ["b", "c"] },
        ]),
        new("limits", false, 1,
        [
            new("a") { Next = To("b", "c"), Retries = 1, IsLimited = true },
            new("b") { Plain = ["a"], Next = To("d"), IsLimited = true },
            new("c") { Plain = ["a"], Next = To("d") },
            new("d") { Plain = ["b", "c"] },
        ]) { IsLimited = true },
        new("cleanup", true, 0,
        [
            new("a") { Next = To("b", "c"), Retries = 1 },
            new("b") { Plain = ["a"], Next = To("d", "e") },
            new("c") { Plain = ["a"], Next = To("d", "e"), Optional = true },
            new("d") { Plain = ["b", "c"], Next = To("n") },
            new("e") { Plain = ["b", "c"], Next = To("n"), When = "failure" },
            new("n") { Plain = ["d", "e"], When = "always" },
        ]),
        new("judged", false, 1,
        [
            new("a") { Next = To("b"), Retries = 1 },
            new("b") { Plain = ["a"] },
        ])
        {
            TakesText = true,
        },
        new("group", false, 1,
        [
            new("a") { Retries = 1, Group = "g" },
            new("b") { Next = To("d"), Group = "g", IsLimited = true },
            new("c") { Plain = ["o"], Group = "g" },
            new("d") { Plain = ["b"] },
            new("w") { WaitsFor = "go", Group = "g" },
            new("v") { WaitsFor = "go", Group = "g" },
            new("x") { Plain = ["o"], WaitsFor = "go", Group = "g" },
            new("o") { Next = To("c", "x") },
        ]),
        new("matrix", true, 0,
        [
            new("a") { Next = To("c", "n", "f"), Group = "g" },
            new("b") { Next = To("n", "f"), Group = "g", Retries = 1 },
            new("o") { Next = To("n"), Group = "g", Optional = true },
            new("c") { Plain = ["a"], Group = "g" },
            new("n") { Plain = ["a", "b", "o"], When = "always", Group = "h" },
            new("f") { Plain = ["a", "b"], When = "failure", Group = "h" },
        ]),
    ];

    /// <summary>Its runs have a limit.</summary>
    public bool IsLimited { get; init; }

    /// <summary>The stop event takes a text, or nothing: a run with another value fails.</summary>
    public bool TakesText { get; init; }

    public bool HasGroups => Array.Exists(Steps, s => s.Group is not null);

    public bool HasConditions => Array.Exists(Steps, s => s.When is not null);

    public int IndexOf(string step) => Array.FindIndex(Steps, s => s.Name == step);

    /// <summary>Steps that a claim may have: those of registered definitions, or commands whose label is among the claim's.</summary>
    public bool Offers(int step, bool byLabels, bool gpu) => byLabels ? IsJobs && (Steps[step].Label is null || gpu) : !IsJobs;

    public WorkflowDefinition ToDefinition()
    {
        var definition = ADefinition.Of(Document());
        for (var i = 0; i < Steps.Length; i++)
        {
            if (definition.Find(Steps[i].Name)?.Index != i) throw new InvalidOperationException($"{Name}: {Steps[i].Name} is not step {i}");
        }

        return definition;
    }

    private string Document()
    {
        var steps = string.Join(", ", Steps.Select(s => $"{Json(s.Name)}: {Json(IsJobs ? Job(s) : Step(s))}"));
        var head = IsJobs ? $$""" "jobs": {"name": "{{Name}}", "trigger": ""}, """ : $$""" "max_lease_losses": {{MostLosses}}, """;
        var limit = IsLimited ? $$""" "timeouts": {"run_ms": {{AnHour}}}, """ : "";
        if (TakesText) head += """ "events": {"StopEvent": {"schema": {"properties": {"result": {"type": "string"}}}}}, """;
        return $$"""{"workflow_id": "{{Name}}", {{head}} {{limit}} "steps": { {{steps}} } }""";
    }

    private static Dictionary<string, object> Job(ModelStep step)
    {
        var policy = new Dictionary<string, object> { ["max_retries"] = step.Retries };
        if (step.RetriesLate) policy["backoff"] = new { Fixed = new { delay_secs = AnHour / 1000 } };
        var job = new Dictionary<string, object> { ["command"] = "x", ["depends_on"] = step.Plain, ["retry_policy"] = policy };
        if (step.When is not null) job["when"] = step.When;
        if (step.Optional) job["optional"] = true;
        if (step.Group is not null) job["fail_fast"] = step.Group;
        if (step.Label is not null) job["required_labels"] = new[] { step.Label };
        return job;
    }

    private static Dictionary<string, object> Step(ModelStep step)
    {
        var document = new Dictionary<string, object>
        {
            ["predecessors"] = step.Before,
            ["successors"] = step.Next.Count > 0 ? step.Next : To(),
            ["retries"] = new { limit = step.Retries, delay_ms = step.RetriesLate ? AnHour : 0 },
        };
        if (step.IsLimited) document["timeouts"] = new { queue_ms = AnHour, attempt_ms = AnHour };
        if (step.Group is not null) document["fail_fast"] = step.Group;
        if (step.AnyOf.Length > 0) document["or_groups"] = new { g = step.AnyOf };
        if (step.WaitsFor is not null) (document["kind"], document["event"], document["timeout_ms"]) = ("waitForEvent", step.WaitsFor, AnHour);
        if (step.Sleeps) (document["kind"], document["duration_ms"]) = ("sleep", AnHour);
        return document;
    }

    private static Dictionary<string, string[]> To(params string[] steps) => new() { ["default"] = steps };

    private static string Json(object value) => JsonSerializer.Serialize(value);
}
