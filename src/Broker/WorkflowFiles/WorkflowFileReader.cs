using System.Text.Json;
using YamlDotNet.Core;

namespace Broker.WorkflowFiles;

/// <summary>Reads one workflow file: <c>.json</c> as JSON, everything else as YAML.</summary>
internal sealed class WorkflowFileReader
{
    internal const int MaxCharacters = 1 << 20;

    /// <summary>Over all jobs of a file: the workflow's <c>env</c> stands in every one, so text can multiply.</summary>
    internal const long MaxCommandCharacters = 16 << 20;

    private readonly string fileName;
    private readonly List<FileProblem> problems = [];

    private WorkflowFileReader(string fileName) => this.fileName = fileName;

    public static WorkflowFileResult Read(string fileName, string text)
    {
        var reader = new WorkflowFileReader(fileName);
        var file = reader.File(text);
        return reader.problems.Count == 0 ? new(file, []) : new(null, reader.problems);
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
                Report(null, null, $"must be a mapping with name, on and jobs, not {other.Description}");
                return null;
        }
    }

    private Node? Parse(string text)
    {
        if (text.Length > MaxCharacters)
        {
            Report(null, null, $"is longer than {MaxCharacters} characters");
            return null;
        }

        text = text.TrimStart('\uFEFF');
        try
        {
            return fileName.EndsWith(".json", StringComparison.Ordinal) ? JsonNodes.Parse(text) : YamlNodes.Parse(text);
        }
        catch (YamlException fault)
        {
            Report(null, null, $"is not readable YAML: line {fault.Start.Line}, column {fault.Start.Column}: {fault.Message}");
        }
        catch (JsonException fault)
        {
            Report(null, null, $"is not readable JSON: {fault.Message}");
        }

        return null;
    }

    private WorkflowFile? Workflow(MappingNode root)
    {
        var fields = new MappingReader(root, null, (field, message) => Report(null, field, message));
        var name = fields.Text("name");
        var trigger = Trigger(fields);
        var environment = fields.Environment("env");
        fields.Require("name");
        fields.Require("on");
        fields.Require("jobs", "is missing; write {} for none");

        var jobs = new List<JobText>();
        foreach (var (id, node) in fields.Mapping("jobs")?.Entries ?? [])
        {
            if (Job(id, node) is { } job) jobs.Add(job);
        }

        CheckNeeds(jobs, fields.Value("jobs") as MappingNode);
        return problems.Count > 0 ? null : Compose(name!, trigger!, environment, jobs);
    }

    private static string? Trigger(MappingReader fields)
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

    private JobText? Job(string id, Node node)
    {
        if (id.Length == 0) Report(null, "jobs", "holds a job with an empty key");

        if (node is not MappingNode mapping)
        {
            Report(id, null, $"must be a mapping, not {node.Description}");
            return null;
        }

        var fields = new MappingReader(mapping, null, (field, message) => Report(id, field, message));
        var run = fields.Text("run");
        var steps = fields.Items("steps").Select((step, i) => Step(id, step, i + 1)).OfType<StepText>().ToList();
        if (fields.Value("run") is null && fields.Value("steps") is null or SequenceNode { Items.Count: 0 })
        {
            Report(id, null, "has nothing to do: write run, or steps with at least one entry");
        }

        return new JobText(
            new JobDocument
            {
                Id = id,
                Name = fields.Text("name") ?? id,
                Command = "",
                DependsOn = [.. fields.Texts("needs", bareText: true).Distinct(StringComparer.Ordinal)],
                RequiredLabels = fields.Texts("labels"),
                MaxRetries = (int)(fields.Integer("retries", 0, int.MaxValue) ?? 0),
                TimeoutSecs = fields.Integer("timeout", long.MinValue, long.MaxValue),
                If = fields.Text("if"),
            },
            fields.Environment("env"),
            run,
            steps);
    }

    private StepText? Step(string job, Node node, int number)
    {
        if (node is not MappingNode mapping)
        {
            Report(job, $"step {number}", $"must be a mapping, not {node.Description}");
            return null;
        }

        var fields = new MappingReader(mapping, $"step {number}: ", (field, message) => Report(job, field, message));
        var (name, id) = (fields.Text("name"), fields.Text("id"));
        fields.Text("if");
        return new StepText(name ?? id ?? $"step {number}", fields.Text("run"), fields.Environment("env"));
    }

    /// <summary>A job that is in the file and has problems of its own is there to be needed.</summary>
    private void CheckNeeds(List<JobText> jobs, MappingNode? written)
    {
        foreach (var job in jobs.Select(j => j.Document))
        {
            foreach (var missing in job.DependsOn.Where(n => !written!.Entries.ContainsKey(n)))
            {
                Report(job.Id, "needs", $"'{job.Id}' needs '{missing}', and this file has no such job");
            }
        }

        foreach (var cycle in JobGraph.Cycles(jobs.ToDictionary(j => j.Document.Id, j => j.Document.DependsOn, StringComparer.Ordinal)))
        {
            Report(cycle[0], "needs", $"a cycle, in which no job could start: {string.Join(" → ", [.. cycle, cycle[0]])}");
        }
    }

    private WorkflowFile? Compose(string name, string trigger, IReadOnlyList<KeyValuePair<string, string>> environment, List<JobText> jobs)
    {
        var documents = new List<JobDocument>(jobs.Count);
        var left = MaxCommandCharacters;
        foreach (var job in jobs)
        {
            var command = ShellCommand.Compose(environment, job.Environment, job.Run, job.Steps);
            var script = ScriptOf(environment, job);
            left -= command.Length + (script?.Weight ?? 0);
            if (left < 0)
            {
                Report(job.Document.Id, null, $"the commands of the file add up to more than {MaxCommandCharacters} characters");
                return null;
            }

            documents.Add(job.Document with { Command = command, Script = script });
        }

        return new WorkflowFile(Path.GetFileNameWithoutExtension(fileName), name, trigger, documents) { FileName = fileName };
    }

    // A name that comes twice has its last value: an object of the claim holds a member once.
    private static JobSteps? ScriptOf(IReadOnlyList<KeyValuePair<string, string>> environment, JobText job)
    {
        var steps = job.Steps.Where(s => s.Runs).ToList();
        if (steps.Count == 0) return null;
        var variables = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in environment.Concat(job.Environment)) variables[name] = value;
        return new JobSteps([.. variables], [.. steps.Select(s => s with { Run = s.Run!.Trim() })]);
    }

    private void Report(string? job, string? field, string message) => problems.Add(new FileProblem(fileName, job, field, message));

    /// <summary>A job as read; its command waits for the workflow's <c>env</c> to be found sound.</summary>
    private sealed record JobText(
        JobDocument Document, IReadOnlyList<KeyValuePair<string, string>> Environment, string? Run, IReadOnlyList<StepText> Steps);
}
