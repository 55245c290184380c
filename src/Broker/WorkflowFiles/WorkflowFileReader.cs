using System.Text.Json;
using Broker.Core.Definitions;
using YamlDotNet.Core;

namespace Broker.WorkflowFiles;

/// <summary>Reads one workflow file: <c>.json</c> as JSON, everything else as YAML. Every key is honoured, or refused with its place.</summary>
internal sealed class WorkflowFileReader
{
    internal const int MaxCharacters = 1 << 20;

    /// <summary>Over all jobs of a file: the workflow's <c>env</c> stands in every one, so text can multiply.</summary>
    internal const long MaxCommandCharacters = 16 << 20;

    private readonly string fileName;
    private readonly FileProblems problems;
    private readonly Dictionary<string, int> lines = new(StringComparer.Ordinal);

    private WorkflowFileReader(string fileName) => (this.fileName, problems) = (fileName, new FileProblems(fileName));

    public static WorkflowFileResult Read(string fileName, string text)
    {
        var reader = new WorkflowFileReader(fileName);
        var file = reader.File(text);
        return reader.problems.Any ? new(null, reader.problems.All) : new(file, []);
    }

    private WorkflowFile? File(string text)
    {
        switch (Parse(text))
        {
            case null:
                return null;
            case MappingNode root:
                return Workflow(root);
            case { } other:
                problems.Add(null, "", $"must be a mapping with name, on and jobs, not {other.Description}");
                return null;
        }
    }

    private Node? Parse(string text)
    {
        if (text.Length > MaxCharacters)
        {
            problems.Add(null, "", $"is longer than {MaxCharacters} characters");
            return null;
        }

        text = text.TrimStart('\uFEFF');
        try
        {
            return fileName.EndsWith(".json", StringComparison.Ordinal) ? JsonNodes.Parse(text) : YamlNodes.Parse(text);
        }
        catch (YamlException fault)
        {
            problems.Add((int)fault.Start.Line, "", $"is not readable YAML: column {fault.Start.Column}: {fault.Message}");
        }
        catch (JsonException fault)
        {
            problems.Add((int?)fault.LineNumber + 1, "", $"is not readable JSON: {fault.Message}");
        }

        return null;
    }

    private WorkflowFile? Workflow(MappingNode root)
    {
        var fields = new FieldReader(root, "", null, problems).Only(KnownKeys.Workflow);
        var name = fields.Text("name");
        var trigger = Trigger(fields);
        fields.Require("name");
        fields.Require("on");
        fields.Require("jobs", "is missing; write {} for none");

        var jobs = Jobs(fields);
        var defaults = fields.Fields("defaults")?.Only(KnownKeys.Defaults).Fields("run")?.Only(KnownKeys.DefaultsOfRun);
        var inputs = Inputs(fields);
        var schedules = fields.Value("on") is MappingNode ? FileSchedules.Read(fields.Fields("on")!, lines) : null;
        var scope = new FileScope(
            fields.Environment("env"),
            defaults?.Scalar("shell") is { } shell ? (shell, defaults.PathOf("shell")) : null,
            defaults?.Scalar("working-directory") is { } folder ? (folder, defaults.PathOf("working-directory")) : null,
            inputs,
            jobs.ToDictionary(job => job.Key, job => job.Value.Matrix, StringComparer.Ordinal));
        var documents = Documents(jobs, scope);
        return problems.Any ? null : new WorkflowFile(Path.GetFileNameWithoutExtension(fileName), name!, trigger!, documents) { FileName = fileName, Inputs = inputs, SchedulesJson = schedules, Lines = lines };
    }

    private static string? Trigger(FieldReader fields)
    {
        switch (fields.Value("on"))
        {
            case ScalarNode { Kind: ScalarKind.Text } word:
                return $"on: {word.Text}";
            case SequenceNode:
                return $"on: [{string.Join(", ", fields.Texts("on"))}]";
            case MappingNode mapping:
                return $"on: [{string.Join(", ", mapping.Entries.Keys)}]";
            case { } other:
                fields.Report("on", $"must be text, a list of texts or a mapping, not {other.Description}");
                return null;
            case null:
                return null;
        }
    }

    /// <summary>Inputs at the top, or those that GitHub's files have under <c>on.workflow_dispatch</c>.</summary>
    private OrderedDictionary<string, FileInput> Inputs(FieldReader fields)
    {
        var inputs = new OrderedDictionary<string, FileInput>(StringComparer.Ordinal);
        var dispatch = fields.Value("on") is MappingNode ? fields.Fields("on")!.Fields("workflow_dispatch")?.Only(KnownKeys.Dispatch) : null;
        var owner = fields.Value("inputs") is null && dispatch is not null ? dispatch : fields;
        if (owner == fields && dispatch?.Value("inputs") is not null) dispatch.Report("inputs", "stands at the top of the file too; write one of them");
        foreach (var (name, entry) in owner.Mapping("inputs")?.Entries ?? [])
        {
            var path = $"{owner.PathOf("inputs")}.{name}";
            lines[$"inputs.{name}"] = entry.Line;
            if (entry.Value is MappingNode mapping) inputs[name] = FileInput.Read(new FieldReader(mapping, path, entry.Line, owner.Problems));
            else if (entry.Value.IsNull) inputs[name] = new FileInput(InputType.Text);
            else owner.Problems.Add(entry.Line, path, $"must be a mapping such as {{ type: string }}, not {entry.Value.Description}");
        }

        return inputs;
    }

    private OrderedDictionary<string, WrittenJob> Jobs(FieldReader fields)
    {
        var jobs = new OrderedDictionary<string, WrittenJob>(StringComparer.Ordinal);
        foreach (var (key, entry) in fields.Mapping("jobs")?.Entries ?? [])
        {
            if (key.Length == 0) problems.Add(entry.Line, "jobs", "holds a job with an empty key");
            var path = fields.PathOf("jobs") + $".{key}";
            var job = entry.Value is MappingNode mapping ? new FieldReader(mapping, path, entry.Line, problems).Only(KnownKeys.Job) : null;
            if (job is null) problems.Add(entry.Line, path, $"must be a mapping, not {entry.Value.Description}");
            jobs[key] = new(job, job is null ? null : JobMatrix.Read(key, job));
        }

        return jobs;
    }

    private List<JobDocument> Documents(OrderedDictionary<string, WrittenJob> jobs, FileScope scope)
    {
        CheckCycles(jobs);
        var documents = new List<JobDocument>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var left = MaxCommandCharacters;
        foreach (var (key, written) in jobs)
        {
            if (written.Fields is not { } fields) continue;
            foreach (var matrix in written.Matrix ?? (IReadOnlyList<MatrixJob?>)[null])
            {
                var job = JobReader.Read(key, fields, scope, matrix);
                if (!ids.Add(job.Id)) fields.Report($"has the id '{job.Id}', which another job has too");
                left -= job.Command.Length + (job.Script?.Weight ?? 0) + job.DependsOn.Sum(need => need.Length);
                if (left < 0)
                {
                    fields.Report($"the commands of the file add up to more than {MaxCommandCharacters} characters");
                    return documents;
                }

                documents.Add(job);
                lines[$"jobs.{job.Id}"] = fields.Line ?? 0;
            }
        }

        return documents;
    }

    /// <summary>A job that is in the file and has problems of its own is there to be needed.</summary>
    private static void CheckCycles(OrderedDictionary<string, WrittenJob> jobs)
    {
        var needs = jobs.ToDictionary(job => job.Key, job => job.Value.Needs, StringComparer.Ordinal);
        foreach (var cycle in JobGraph.Cycles(needs))
            jobs[cycle[0]].Fields!.Report("needs", $"a cycle, in which no job could start: {string.Join(" → ", [.. cycle, cycle[0]])}");
    }

    /// <summary>A job as written, and the jobs that its matrix makes. <c>Fields</c> is null for one that is no mapping.</summary>
    private sealed record WrittenJob(FieldReader? Fields, IReadOnlyList<MatrixJob>? Matrix)
    {
        /// <summary>Keys of the jobs that it needs; wrong types count as none here.</summary>
        public IReadOnlyList<string> Needs { get; } = Fields?.Value("needs") switch
        {
            ScalarNode one => [one.Text],
            SequenceNode several => [.. several.Items.OfType<ScalarNode>().Select(item => item.Text).Distinct(StringComparer.Ordinal)],
            _ => [],
        };
    }
}
