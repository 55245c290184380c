using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Http;

namespace Broker.Api.JobsDialect;

/// <summary>A workflow with the state of its jobs: a run's, or what was posted when it never ran.</summary>
internal sealed record WorkflowView(string Id, WorkflowDefinition Definition, RunView? Run)
{
    private readonly JobState[]? jobs = Run is null ? null : JobsStatuses.Of(Definition, Run.Status, Run.Steps);

    /// <summary>
    /// The workflow under its own name. An ended run of an older version gives way: an edited file and a replaced sample show their new
    /// jobs, as posted.
    /// </summary>
    public static WorkflowView Of(WorkflowDefinition latest, RunView? run)
    {
        if (run is null || (latest.Jobs is not null && run.IsTerminal && run.Definition.Version != latest.Version)) return new(latest.Name, latest, null);
        return new(latest.Name, run.Definition, run);
    }

    public bool IsCancelled(string job) =>
        jobs is not null && Definition.IndexOf.TryGetValue(job, out var index) && jobs[index].Status == JobsStatuses.Cancelled;

    /// <summary>Has it a job in that status?</summary>
    public bool Has(string status)
    {
        if (jobs is not null) return Array.Exists(jobs, j => j.Status == status);
        var word = $"\"{status}\"";
        return Definition.Steps.Any(step => JobShapes.Of(Definition, step).StatusJson == word);
    }

    public async ValueTask WriteAsync(JsonStream answer, CancellationToken ct)
    {
        var json = answer.Json;
        json.WriteStartObject();
        json.WriteString("id", Id);
        json.WriteString("name", Definition.Jobs?.Name ?? Definition.Name);
        json.WriteString("trigger", Definition.Jobs?.Trigger ?? "");
        json.WriteStartArray("jobs");
        foreach (var step in Definition.Steps)
        {
            WriteJob(json, step, JobShapes.Of(Definition, step), jobs?[step.Index]);
            await answer.RowAsync(ct);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteJob(Utf8JsonWriter json, StepDefinition step, JobShape shape, JobState? state)
    {
        json.WriteStartObject();
        json.WriteString("id", step.Name);
        Raw(json, "name", shape.NameJson);
        if (state is { } now) json.WriteString("status", now.Status);
        else Raw(json, "status", shape.StatusJson);
        json.WriteString("command", step.Command ?? step.Map?.Item.Command ?? "");
        Raw(json, "depends_on", shape.DependsOnJson);
        if (state is { } running)
        {
            WriteNumber(json, "duration_secs", running.DurationSecs);
            WriteNumber(json, "started_at", running.StartedAt?.ToUnixTimeMilliseconds());
            json.WriteString("output", running.Output);
        }
        else
        {
            Raw(json, "duration_secs", shape.DurationSecsJson);
            Raw(json, "started_at", shape.StartedAtJson);
            Raw(json, "output", shape.OutputJson);
        }

        Raw(json, "required_labels", shape.RequiredLabelsJson);
        json.WriteNumber("max_retries", step.Retry.MaxRetries);
        if (state is { } counted) json.WriteNumber("attempt", counted.Attempt);
        else Raw(json, "attempt", shape.AttemptJson);
        Raw(json, "metadata", shape.MetadataJson);
        Raw(json, "ports", shape.PortsJson);
        Raw(json, "children", shape.ChildrenJson);
        Raw(json, "collapsed", shape.CollapsedJson);
        json.WriteEndObject();
    }

    private static void Raw(Utf8JsonWriter json, string member, string raw)
    {
        json.WritePropertyName(member);
        json.WriteRaw(raw);
    }

    private static void WriteNumber(Utf8JsonWriter json, string member, long? value)
    {
        if (value is { } number) json.WriteNumber(member, number);
        else json.WriteNull(member);
    }
}
