using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Http;
using Broker.Settings;

namespace Broker.Api.JobsDialect;

/// <summary>The body of <c>POST /api/workflows</c>: checked, and turned into a definition document.</summary>
internal static class PostedWorkflow
{
    /// <summary>Extensions whose form the definition reader checks.</summary>
    private static readonly string[] Rules = ["when", "optional", "fail_fast", "priority", "timeouts"];

    private static readonly string[] RetryRules = ["jitter", "retry_on", "no_retry_on"];

    public static DefinitionReading Read(JsonElement body, string id, LimitSettings limits)
    {
        var reader = new JobsReader(limits);
        if (!reader.IsObject(body, "")) return new(null, reader.Problems);

        var name = reader.Text(body, "name", "");
        var trigger = reader.Text(body, "trigger", "");
        var jobs = ReadJobs(body, reader);
        return reader.IsBroken ? new(null, reader.Problems) : JobsDocument.Read(json => JobsDocument.Write(json, id, "1", new(name, trigger, false), jobs, Of(body, "inputs"), Of(body, "timeouts")), limits.Steps);
    }

    private static List<JobsDocument.Job> ReadJobs(JsonElement body, JobsReader reader)
    {
        var jobs = new List<JobsDocument.Job>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var list = reader.Value(body, "jobs", "", JsonValueKind.Array, required: true);
        if (list.ValueKind is JsonValueKind.Undefined) return jobs;

        var i = 0;
        foreach (var job in list.EnumerateArray())
        {
            var path = $"jobs[{i++}]";
            if (Check(job, path, reader) is not { } id) continue;
            if (!seen.Add(id)) reader.Add($"{path}.id", $"'{id}' is there twice");
            if (reader.IsBroken) continue;

            var policy = reader.Value(job, "retry_policy", path, JsonValueKind.Object);
            jobs.Add(new JobsDocument.Job
            {
                Id = id,
                Command = job.GetProperty("command").GetString()!,
                DependsOn = reader.Names(job, "depends_on", path, required: false),
                RequiredLabels = reader.Names(job, "required_labels", path, required: false),
                // An extension: a policy wins over the bare number.
                MaxRetriesJson = Of(policy, "max_retries") ?? Of(job, "max_retries") ?? "0",
                BackoffJson = Of(policy, "backoff") ?? "\"None\"",
                Rules = json => Pass(json, job, Rules),
                RetryRules = json => Pass(json, policy, RetryRules),
                Display = json => WriteDisplay(json, job),
            });
        }

        return jobs;
    }

    /// <summary>The shape of a job and of the jobs grouped in it; the id, or null when there is none to speak of.</summary>
    private static string? Check(JsonElement job, string path, JobsReader reader)
    {
        if (!reader.IsObject(job, path)) return null;
        var id = reader.Id(job, "id", path);
        reader.Text(job, "name", path);
        reader.Text(job, "command", path);
        reader.Names(job, "depends_on", path, required: false);
        reader.Names(job, "required_labels", path, required: false);
        var status = reader.Text(job, "status", path, required: false);
        if (status.Length > 0 && !JobsStatuses.All.Contains(status)) reader.Add($"{path}.status", $"is '{status}', expected one of {string.Join(", ", JobsStatuses.All)}");
        reader.Integer(job, "duration_secs", path, 0, long.MaxValue, 0);
        reader.Value(job, "started_at", path, JsonValueKind.Number);
        reader.Text(job, "output", path, required: false);
        reader.Integer(job, "max_retries", path, 0, uint.MaxValue, 0);
        reader.Integer(job, "attempt", path, 0, uint.MaxValue, 0);
        reader.Value(job, "metadata", path, JsonValueKind.Object);
        reader.Value(job, "retry_policy", path, JsonValueKind.Object);
        reader.Boolean(job, "collapsed", path, false);
        CheckPorts(job, path, reader);

        var i = 0;
        var children = reader.Value(job, "children", path, JsonValueKind.Array);
        foreach (var child in children.ValueKind is JsonValueKind.Array ? children.EnumerateArray() : default) Check(child, $"{path}.children[{i++}]", reader);
        return id.Length > 0 ? id : null;
    }

    private static void CheckPorts(JsonElement job, string path, JobsReader reader)
    {
        var i = 0;
        var ports = reader.Value(job, "ports", path, JsonValueKind.Array);
        foreach (var port in ports.ValueKind is JsonValueKind.Array ? ports.EnumerateArray() : default)
        {
            var at = $"{path}.ports[{i++}]";
            if (!reader.IsObject(port, at)) continue;
            reader.Text(port, "id", at);
            reader.Text(port, "label", at);
            reader.Text(port, "port_type", at, required: false);
            reader.Text(port, "color", at, required: false);
            var direction = reader.Text(port, "direction", at);
            if (direction is not ("" or "input" or "output")) reader.Add($"{at}.direction", $"is '{direction}', expected input or output");
        }
    }

    // Everything of a job that only renderers and people look at, absent members as their defaults.
    private static void WriteDisplay(Utf8JsonWriter json, JsonElement job)
    {
        json.WriteString("name", job.GetProperty("name").GetString());
        Raw(json, job, "status", $"\"{JobsStatuses.Queued}\"");
        Raw(json, job, "duration_secs", "null");
        Raw(json, job, "started_at", "null");
        Raw(json, job, "output", "null");
        Raw(json, job, "attempt", "0");
        Raw(json, job, "metadata", "{}");
        json.WriteStartArray("ports");
        foreach (var port in Items(job, "ports"))
        {
            json.WriteStartObject();
            Raw(json, port, "id", "null");
            Raw(json, port, "label", "null");
            Raw(json, port, "direction", "null");
            Raw(json, port, "port_type", "\"\"");
            Raw(json, port, "color", "null");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteChildren(json, job);
        Raw(json, job, "collapsed", "false");
    }

    private static void WriteChildren(Utf8JsonWriter json, JsonElement job)
    {
        if (!JobsReader.Has(job, "children"))
        {
            json.WriteNull("children");
            return;
        }

        json.WriteStartArray("children");
        foreach (var child in Items(job, "children"))
        {
            json.WriteStartObject();
            Raw(json, child, "id", "null");
            Raw(json, child, "command", "null");
            Raw(json, child, "depends_on", "[]");
            Raw(json, child, "required_labels", "[]");
            Raw(json, child, "max_retries", "0");
            WriteDisplay(json, child);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement owner, string member) =>
        JobsReader.Has(owner, member) ? owner.GetProperty(member).EnumerateArray() : default;

    private static void Pass(Utf8JsonWriter json, JsonElement owner, string[] members)
    {
        foreach (var member in members)
        {
            if (Of(owner, member) is not { } value) continue;
            json.WritePropertyName(member);
            json.WriteRaw(value);
        }
    }

    private static void Raw(Utf8JsonWriter json, JsonElement owner, string member, string fallback)
    {
        json.WritePropertyName(member);
        json.WriteRaw(Of(owner, member) ?? fallback);
    }

    private static string? Of(JsonElement owner, string member) =>
        owner.ValueKind is JsonValueKind.Object && JobsReader.Has(owner, member) ? owner.GetProperty(member).GetRawText() : null;
}
