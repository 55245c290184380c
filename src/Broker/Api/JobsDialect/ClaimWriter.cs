using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Http;
using Broker.WorkflowFiles;

namespace Broker.Api.JobsDialect;

/// <summary>Writes claimed jobs as workers parse them: every field present, integers without a decimal point.</summary>
internal static class ClaimWriter
{
    public static void WriteAll(Utf8JsonWriter json, IReadOnlyList<Assignment> claimed, ClaimedNeeds needs)
    {
        json.WriteStartArray();
        foreach (var assignment in claimed) Write(json, assignment, needs);
        json.WriteEndArray();
    }

    public static void Write(Utf8JsonWriter json, Assignment claimed, ClaimedNeeds needs)
    {
        var workflow = WorkflowLookup.WorkerName(claimed.Run);
        var shape = JobShapes.Of(claimed.Definition, claimed.Step);
        json.WriteStartObject();
        json.WriteStartObject("job");
        json.WriteString("job_id", claimed.Step.Name);
        json.WriteString("workflow_id", workflow);
        var upstream = UpstreamOf(claimed, shape, needs);
        json.WriteString("command", CommandOf(claimed, shape, upstream));
        json.WritePropertyName("required_labels");
        json.WriteRaw(shape.RequiredLabelsJson);
        json.WriteStartObject("retry_policy");
        json.WriteNumber("max_retries", claimed.Step.Retry.MaxRetries);
        json.WritePropertyName("backoff");
        WriteBackoff(json, claimed.Step.Retry, claimed.Attempt);
        json.WriteEndObject();
        json.WriteNumber("attempt", claimed.Attempt);
        WriteUpstream(json, claimed);
        json.WriteNumber("enqueued_at_ms", claimed.QueuedAt.ToUnixTimeMilliseconds());
        json.WriteNumber("delayed_until_ms", claimed.Due > claimed.QueuedAt ? claimed.Due.ToUnixTimeMilliseconds() : 0);
        if (shape.Script is { } script) WriteScript(json, script, upstream);
        WriteRun(json, claimed);
        WriteItem(json, claimed);
        if (claimed.TraceParent is not null) json.WriteString("traceparent", claimed.TraceParent);
        if (claimed.ProgressJson is not null)
        {
            json.WritePropertyName("progress");
            json.WriteRaw(claimed.ProgressJson);
        }

        json.WriteEndObject();

        json.WriteStartObject("lease");
        json.WriteString("lease_id", claimed.Lease.Value);
        json.WriteString("job_id", claimed.Step.Name);
        json.WriteString("workflow_id", workflow);
        json.WriteString("worker_id", claimed.WorkerId);
        json.WriteNumber("ttl_secs", claimed.LeaseSecs);
        json.WriteNumber("granted_at_ms", claimed.GrantedAt.ToUnixTimeMilliseconds());
        if (claimed.Deadline is { } deadline) json.WriteNumber("deadline_ms", deadline.ToUnixTimeMilliseconds());
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // Workers that know no inputs find those that a file declares as variables all the same, and outputs of other jobs that it names.
    private static string CommandOf(Assignment claimed, JobShape shape, IReadOnlyList<KeyValuePair<string, string>> upstream)
    {
        var command = claimed.Step.Command ?? "";
        if (claimed.Definition is not { Inputs: { All.IsEmpty: false } declared } || !shape.ExportsInputs)
            return upstream.Count == 0 ? command : ShellCommand.WithVariables(upstream, command);
        using var inputs = JsonDocument.Parse(claimed.InputsJson);
        return ShellCommand.WithVariables([.. declared.All.Select(input => KeyValuePair.Create(input.Variable, ValueOf(inputs.RootElement, input.Name))), .. upstream], command);
    }

    private static IReadOnlyList<KeyValuePair<string, string>> UpstreamOf(Assignment claimed, JobShape shape, ClaimedNeeds needs) => claimed is { ItemJson: { } item, Step.Command: not null }
        ? ItemVariables.Of(item, MapDefinition.NumberOf(claimed.Step.Index))
        : shape.Upstream.Count == 0 ? [] : [.. shape.Upstream.Select(read => KeyValuePair.Create(read.Variable, read.Output is { } output ? OutputOf(claimed, read.Job, output) : needs.Of(claimed, read.Job)))];

    // A job that failed, or has no such output, gives an empty text.
    private static string OutputOf(Assignment claimed, string job, string output)
    {
        var result = claimed.Upstream.FirstOrDefault(upstream => upstream.Step == job).ResultJson;
        if (result is null || !FinalValue.IsObject(result)) return "";
        using var outputs = JsonDocument.Parse(result);
        return outputs.RootElement.TryGetProperty(output, out var value) ? InputVariables.ValueOf(value) : "";
    }

    // A run of a time before its file declared the input has none.
    private static string ValueOf(JsonElement inputs, string name) =>
        inputs.ValueKind is JsonValueKind.Object && inputs.TryGetProperty(name, out var value) ? InputVariables.ValueOf(value) : "";

    /// <summary>Extension: the run and its inputs. The store may hold runs of a time when inputs could be any value.</summary>
    private static void WriteRun(Utf8JsonWriter json, Assignment claimed)
    {
        json.WritePropertyName("inputs");
        json.WriteRaw(FinalValue.IsObject(claimed.InputsJson) ? claimed.InputsJson : "{}");
        json.WriteNumber("run", claimed.Run.Number);
        json.WriteString("instance_id", claimed.Run.InstanceId);
    }

    /// <summary>Extension: the value that an item of a map runs for, and its place in the list.</summary>
    private static void WriteItem(Utf8JsonWriter json, Assignment claimed)
    {
        if (claimed.ItemJson is not { } item) return;
        json.WritePropertyName("item");
        json.WriteRaw(item);
        json.WriteNumber("item_index", MapDefinition.NumberOf(claimed.Step.Index));
        if (claimed.Step.Handler is { } handler) json.WriteString("handler", handler);
    }

    /// <summary>Extension: a worker that takes steps runs them instead of the command.</summary>
    private static void WriteScript(Utf8JsonWriter json, (string StepsJson, string EnvJson) script, IReadOnlyList<KeyValuePair<string, string>> upstream)
    {
        json.WritePropertyName("steps");
        json.WriteRaw(script.StepsJson);
        json.WritePropertyName("env");
        if (upstream.Count == 0)
        {
            json.WriteRaw(script.EnvJson);
            return;
        }

        // The file's own variable of the name wins, as it does in the command.
        using var env = JsonDocument.Parse(script.EnvJson);
        json.WriteStartObject();
        foreach (var (name, value) in upstream.Where(variable => !env.RootElement.TryGetProperty(variable.Key, out _))) json.WriteString(name, value);
        foreach (var variable in env.RootElement.EnumerateObject()) variable.WriteTo(json);
        json.WriteEndObject();
    }

    /// <summary>Three spellings and no other: the stock worker cannot read a claim with a fourth, so growing delays show as the next one.</summary>
    private static void WriteBackoff(Utf8JsonWriter json, RetryPolicy retry, int attempt)
    {
        switch (retry.Backoff)
        {
            case Backoff.None:
                json.WriteStringValue("None");
                break;
            case Backoff.Exponential:
                json.WriteStartObject();
                json.WriteStartObject("Exponential");
                json.WriteNumber("base_secs", Secs(retry.BaseMs));
                json.WriteNumber("max_secs", Secs(retry.MaxMs));
                json.WriteEndObject();
                json.WriteEndObject();
                break;
            case Backoff.Fixed or Backoff.Linear or Backoff.Doubling:
                json.WriteStartObject();
                json.WriteStartObject("Fixed");
                json.WriteNumber("delay_secs", Secs((long)retry.DelayBefore(attempt + 1).TotalMilliseconds));
                json.WriteEndObject();
                json.WriteEndObject();
                break;
        }
    }

    private static long Secs(long milliseconds) => (milliseconds + 999) / 1000;

    /// <summary>One entry for each direct dependency.</summary>
    private static void WriteUpstream(Utf8JsonWriter json, Assignment claimed)
    {
        json.WriteStartObject("upstream_outputs");
        foreach (var (step, result) in claimed.Upstream)
        {
            json.WritePropertyName(step);
            WriteOutputs(json, result);
        }

        // Fewer only below any-of joins of other dialects' definitions.
        if (claimed.Upstream.Count < claimed.Step.Predecessors.Length)
        {
            var written = claimed.Upstream.Select(u => u.Step).ToHashSet(StringComparer.Ordinal);
            foreach (var predecessor in claimed.Step.Predecessors)
            {
                if (!written.Add(claimed.Definition.Steps[predecessor].Name)) continue;
                json.WritePropertyName(claimed.Definition.Steps[predecessor].Name);
                WriteOutputs(json, null);
            }
        }

        json.WriteEndObject();
    }

    // Workers read a map of strings; other dialects may have reported anything: an object's other values become their JSON text.
    private static void WriteOutputs(Utf8JsonWriter json, string? result)
    {
        json.WriteStartObject();
        if (result is not (null or "{}") && result.AsSpan().TrimStart().StartsWith("{"))
        {
            using var outputs = JsonDocument.Parse(result);
            foreach (var output in outputs.RootElement.EnumerateObject())
            {
                json.WritePropertyName(StorableText.Fitting(JsonText.NameOf(output)));
                if (output.Value.ValueKind is JsonValueKind.String) json.WriteRaw(output.Value.GetRawText());
                else json.WriteStringValue(output.Value.GetRawText());
            }
        }

        json.WriteEndObject();
    }
}
