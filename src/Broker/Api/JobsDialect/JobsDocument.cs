using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Http;
using Broker.WorkflowFiles;

namespace Broker.Api.JobsDialect;

/// <summary>Writes workflows of this dialect as the definition document that every dialect's definitions are read from.</summary>
internal static class JobsDocument
{
    /// <summary>One job; <c>Display</c> writes the members that only renderers and people look at.</summary>
    internal sealed record Job
    {
        public required string Id { get; init; }
        public required string Command { get; init; }
        public required IReadOnlyList<string> DependsOn { get; init; }
        public required IReadOnlyList<string> RequiredLabels { get; init; }
        public required string MaxRetriesJson { get; init; }
        public string BackoffJson { get; init; } = "\"None\"";

        /// <summary>Steps and variables beside the command; only files have them.</summary>
        public JobSteps? Script { get; init; }

        /// <summary>Outputs of other jobs that the command reads from variables; only files have them.</summary>
        public IReadOnlyList<(string Variable, string Job, string? Output)> Upstream { get; init; } = [];

        /// <summary>Declared inputs stand before the command as variables, for workers that know none.</summary>
        public bool ExportsInputs { get; init; }

        /// <summary>Writes members of the step that the definition reader checks.</summary>
        public Action<Utf8JsonWriter>? Rules { get; init; }

        /// <summary>Writes members of the retry policy beside the number and the backoff.</summary>
        public Action<Utf8JsonWriter>? RetryRules { get; init; }

        public required Action<Utf8JsonWriter> Display { get; init; }
    }

    /// <summary>
    /// The definition of a workflow file. The version is made from the content, so that an edited file is a new version and the same
    /// file again is not.
    /// </summary>
    /// <param name="file">As it was read.</param>
    /// <param name="fromFile">False for the built-in sample.</param>
    /// <param name="edition">It differs from the same content under another edition; empty for files.</param>
    /// <param name="mostSteps">Jobs that the definition may have here.</param>
    public static DefinitionReading Read(WorkflowFile file, bool fromFile, string edition = "", int mostSteps = WorkflowDefinition.MaxSteps)
    {
        var display = new JobsDisplay(file.Name, file.Trigger, fromFile);
        var jobs = file.Jobs.Select(job => OfFile(job, !fromFile && file.Inputs.Count > 0)).ToList();
        var inputs = file.Inputs.Count > 0 ? Encoding.UTF8.GetString(Bytes(json => WriteInputs(json, file.Inputs)).Span) : null;
        var content = SHA256.HashData(Bytes(json => WriteFile("", json)).Span);
        return Read(json => WriteFile($"{Convert.ToHexStringLower(content)[..12]}{edition}", json), mostSteps);

        void WriteFile(string version, Utf8JsonWriter json) => Write(json, file.Id, version, display, jobs, inputs, schedulesJson: file.SchedulesJson);
    }

    /// <summary>Reads what <paramref name="write"/> writes; paths of problems speak of jobs.</summary>
    public static DefinitionReading Read(Action<Utf8JsonWriter> write, int mostSteps = WorkflowDefinition.MaxSteps)
    {
        try
        {
            using var document = JsonDocument.Parse(Bytes(write));
            var (definition, problems) = DefinitionReader.Read(document.RootElement, mostSteps);
            return new(definition, [.. problems.Select(InJobs)]);
        }
        catch (JsonException)
        {
            // The body was read within the same limit, and the document nests metadata one level deeper.
            return new(null, [new("jobs", $"nested deeper than {JsonBody.MaxDepth - 1} levels")]);
        }
    }

    public static void Write(Utf8JsonWriter json, string id, string version, JobsDisplay display, IReadOnlyList<Job> jobs, string? inputsJson = null, string? timeoutsJson = null, string? schedulesJson = null)
    {
        json.WriteStartObject();
        json.WriteString("workflow_id", id);
        json.WriteString("version", version);
        json.WriteStartObject("jobs");
        json.WriteString("name", display.Name);
        json.WriteString("trigger", display.Trigger);
        json.WriteBoolean("from_file", display.FromFile);
        json.WriteEndObject();
        if (inputsJson is not null)
        {
            json.WritePropertyName("inputs");
            json.WriteRaw(inputsJson);
        }

        if (timeoutsJson is not null)
        {
            json.WritePropertyName("timeouts");
            json.WriteRaw(timeoutsJson);
        }

        if (schedulesJson is not null)
        {
            json.WritePropertyName("schedules");
            json.WriteRaw(schedulesJson);
        }

        json.WriteStartObject("steps");
        foreach (var job in jobs) WriteStep(json, job);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteStep(Utf8JsonWriter json, Job job)
    {
        json.WriteStartObject(job.Id);
        WriteTexts(json, "depends_on", job.DependsOn);
        json.WriteString("command", job.Command);
        if (job.Script is { } script) WriteScript(json, script);
        if (job.Upstream.Count > 0) WriteUpstream(json, job.Upstream);
        if (job.ExportsInputs) json.WriteBoolean("exports_inputs", true);
        WriteTexts(json, "required_labels", job.RequiredLabels);
        json.WriteStartObject("retry_policy");
        json.WritePropertyName("max_retries");
        json.WriteRaw(job.MaxRetriesJson);
        json.WritePropertyName("backoff");
        json.WriteRaw(job.BackoffJson);
        job.RetryRules?.Invoke(json);
        json.WriteEndObject();
        job.Rules?.Invoke(json);
        json.WriteStartObject("display");
        job.Display(json);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // The members as claims hand them out, so that a claim copies them.
    private static void WriteScript(Utf8JsonWriter json, JobSteps script)
    {
        json.WriteStartObject("script");
        WriteVariables(json, script.Environment);
        json.WriteStartArray("steps");
        foreach (var step in script.Steps)
        {
            json.WriteStartObject();
            json.WriteString("name", step.Label);
            json.WriteString("run", step.Run);
            if (step.Environment.Count > 0) WriteVariables(json, step.Environment);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteUpstream(Utf8JsonWriter json, IReadOnlyList<(string Variable, string Job, string? Output)> upstream)
    {
        json.WriteStartObject("upstream_env");
        foreach (var (variable, job, output) in upstream)
        {
            json.WriteStartArray(variable);
            json.WriteStringValue(job);
            if (output is not null) json.WriteStringValue(output);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteInputs(Utf8JsonWriter json, IReadOnlyDictionary<string, FileInput> inputs)
    {
        json.WriteStartObject();
        foreach (var (name, input) in inputs)
        {
            json.WriteStartObject(name);
            json.WriteString("type", FileInput.WordOf(input.Type));
            if (input.Required) json.WriteBoolean("required", true);
            if (input.DefaultJson is { } value)
            {
                json.WritePropertyName("default");
                json.WriteRaw(value);
            }

            if (input.Options.Count > 0) WriteTexts(json, "options", input.Options);
            if (input.Description is { } description) json.WriteString("description", description);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteVariables(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, string>> variables)
    {
        json.WriteStartObject("env");
        foreach (var (name, value) in variables) json.WriteString(name, value);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string member, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(member);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static Job OfFile(JobDocument job, bool exportsInputs) => new()
    {
        Id = job.Id,
        Command = job.Command,
        Script = job.Script,
        DependsOn = job.DependsOn,
        RequiredLabels = job.RequiredLabels,
        MaxRetriesJson = job.Retry.Max.ToString(CultureInfo.InvariantCulture),
        BackoffJson = job.Retry.BackoffJson,
        Upstream = job.Upstream,
        ExportsInputs = exportsInputs,
        Rules = json => WriteRules(json, job),
        RetryRules = json => WriteRetryRules(json, job.Retry),
        Display = json => json.WriteString("name", job.Name),
    };

    private static void WriteRules(Utf8JsonWriter json, JobDocument job)
    {
        if (job.Priority != 0) json.WriteNumber("priority", job.Priority);
        if (job.When is { } when) json.WriteString("when", when);
        if (job.IsOptional) json.WriteBoolean("optional", true);
        if (job.FailFast is { } group) json.WriteString("fail_fast", group);
        if (job.TimeoutMs is not { } limit) return;
        json.WriteStartObject("timeouts");
        json.WriteNumber("attempt_ms", limit);
        json.WriteEndObject();
    }

    private static void WriteRetryRules(Utf8JsonWriter json, JobRetry retry)
    {
        if (retry.Jitter is { } jitter) json.WriteNumber("jitter", jitter);
        if (retry.OnExit is not { } codes) return;
        json.WriteStartArray("retry_on");
        foreach (var code in codes) json.WriteNumberValue(code);
        json.WriteEndArray();
    }

    private static ReadOnlyMemory<byte> Bytes(Action<Utf8JsonWriter> write)
    {
        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer, JsonAnswer.Options)) write(json);
        return buffer.Written.ToArray();
    }

    // Paths are member paths, or a JSON pointer where a member stands twice.
    private static DefinitionProblem InJobs(DefinitionProblem problem) => problem with
    {
        Path = problem.Path.StartsWith("steps", StringComparison.Ordinal) ? $"jobs{problem.Path["steps".Length..]}"
            : problem.Path.StartsWith("schedules[", StringComparison.Ordinal) ? $"{FileSchedules.Place}{problem.Path["schedules".Length..]}"
            : problem.Path.StartsWith("/steps", StringComparison.Ordinal) ? $"/jobs{problem.Path["/steps".Length..]}"
            : problem.Path,
    };
}
