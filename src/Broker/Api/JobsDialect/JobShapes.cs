using System.Runtime.CompilerServices;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Http;
using Broker.WorkflowFiles;

namespace Broker.Api.JobsDialect;

/// <summary>Members of a job that are shown beside its state: raw JSON as it was posted.</summary>
internal sealed record JobShape
{
    public required string NameJson { get; init; }
    public string DependsOnJson { get; init; } = "[]";
    public string RequiredLabelsJson { get; init; } = "[]";

    /// <summary>Steps for workers that run each by itself, and the variables of all; null when there is a command alone.</summary>
    public (string StepsJson, string EnvJson)? Script { get; init; }

    /// <summary>Outputs of other jobs that the command reads from variables, or without an output their results; files name them.</summary>
    public IReadOnlyList<(string Variable, string Job, string? Output)> Upstream { get; init; } = [];

    /// <summary>Whether one of them is a result.</summary>
    public bool ReadsResults => Upstream.Any(read => read.Output is null);

    /// <summary>Declared inputs stand before the command as variables, for workers that know none.</summary>
    public bool ExportsInputs { get; init; }

    public string MetadataJson { get; init; } = "{}";
    public string PortsJson { get; init; } = "[]";
    public string ChildrenJson { get; init; } = "null";
    public string CollapsedJson { get; init; } = "false";

    // The state a workflow shows until its first run.
    public string StatusJson { get; init; } = $"\"{JobsStatuses.Queued}\"";
    public string DurationSecsJson { get; init; } = "null";
    public string StartedAtJson { get; init; } = "null";
    public string OutputJson { get; init; } = "null";
    public string AttemptJson { get; init; } = "0";
}

/// <summary>
/// The shapes of a definition's jobs. Taken from its document once: status is polled every second. A step of another dialect has
/// nothing to remember.
/// </summary>
internal static class JobShapes
{
    private static readonly ConditionalWeakTable<WorkflowDefinition, JobShape[]> Known = [];

    public static JobShape Of(WorkflowDefinition definition, StepDefinition step) =>
        definition.Jobs is null || step.Index >= StepDefinition.FirstDynamic ? OfStep(definition, step) : Known.GetValue(definition, Read)[step.Index];

    private static JobShape[] Read(WorkflowDefinition definition)
    {
        var shapes = new JobShape[definition.Steps.Length];
        // In one walk: looking each name up in an object of thousands would read it from the end every time.
        using var document = JsonDocument.Parse(definition.Document);
        foreach (var written in document.RootElement.GetProperty("steps").EnumerateObject())
        {
            if (definition.Find(written.Name) is { } step) shapes[step.Index] = OfJob(definition, step, written.Value);
        }

        return shapes;
    }

    private static JobShape OfJob(WorkflowDefinition definition, StepDefinition step, JsonElement written)
    {
        var display = written.TryGetProperty("display", out var shown) ? shown : default;
        string Shown(string member, string fallback) =>
            display.ValueKind is JsonValueKind.Object && display.TryGetProperty(member, out var value) ? value.GetRawText() : fallback;
        string Written(string member) => written.TryGetProperty(member, out var value) ? value.GetRawText() : "[]";
        return new JobShape
        {
            NameJson = Shown("name", Quoted(step.Name)),
            DependsOnJson = Written("depends_on"),
            RequiredLabelsJson = Written("required_labels"),
            Script = ScriptOf(written),
            Upstream = UpstreamOf(written),
            ExportsInputs = definition.Jobs!.FromFile || (written.TryGetProperty("exports_inputs", out var exports) && exports.ValueKind is JsonValueKind.True),
            MetadataJson = Shown("metadata", "{}"),
            PortsJson = Shown("ports", "[]"),
            ChildrenJson = Shown("children", "null"),
            CollapsedJson = Shown("collapsed", "false"),
            StatusJson = Shown("status", Quoted(JobsStatuses.Queued)),
            DurationSecsJson = Shown("duration_secs", "null"),
            StartedAtJson = Shown("started_at", "null"),
            OutputJson = Shown("output", "null"),
            AttemptJson = Shown("attempt", "0"),
        };
    }

    // Written by files alone; a client that registers a document of its own may have put anything there.
    private static (string StepsJson, string EnvJson)? ScriptOf(JsonElement written)
    {
        if (!written.TryGetProperty("script", out var script) || script.ValueKind is not JsonValueKind.Object) return null;
        return script.TryGetProperty("steps", out var steps) && steps.ValueKind is JsonValueKind.Array && steps.EnumerateArray().All(IsScriptStep)
            && script.TryGetProperty("env", out var env) && IsVariables(env)
            ? (steps.GetRawText(), env.GetRawText())
            : null;
    }

    private static IReadOnlyList<(string Variable, string Job, string? Output)> UpstreamOf(JsonElement written)
    {
        if (!written.TryGetProperty("upstream_env", out var variables) || variables.ValueKind is not JsonValueKind.Object) return [];
        return
        [
            .. from variable in variables.EnumerateObject()
               let place = variable.Value
               where ShellNames.Fits(variable.Name) && place.ValueKind is JsonValueKind.Array && (place.GetArrayLength() is 1 or 2)
                   && place.EnumerateArray().All(name => name.ValueKind is JsonValueKind.String)
               select (variable.Name, place[0].GetString()!, place.GetArrayLength() == 2 ? place[1].GetString() : null),
        ];
    }

    private static bool IsScriptStep(JsonElement step) =>
        step.ValueKind is JsonValueKind.Object
        && step.TryGetProperty("run", out var run) && run.ValueKind is JsonValueKind.String
        && (!step.TryGetProperty("name", out var name) || name.ValueKind is JsonValueKind.String)
        && (!step.TryGetProperty("env", out var env) || IsVariables(env));

    private static bool IsVariables(JsonElement env) =>
        env.ValueKind is JsonValueKind.Object && env.EnumerateObject().All(variable => variable.Value.ValueKind is JsonValueKind.String);

    // A step of another dialect's definition, watched from here.
    private static JobShape OfStep(WorkflowDefinition definition, StepDefinition step) => new()
    {
        NameJson = Quoted(step.Name),
        DependsOnJson = $"[{string.Join(',', step.Predecessors.Select(p => Quoted(definition.Steps[p].Name)))}]",
        RequiredLabelsJson = $"[{string.Join(',', step.RequiredLabels.Select(Quoted))}]",
    };

    private static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text, JsonAnswer.Options.Encoder)}\"";
}
