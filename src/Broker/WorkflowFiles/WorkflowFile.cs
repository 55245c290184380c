using Broker.Core.Definitions;

namespace Broker.WorkflowFiles;

/// <summary>A workflow as its file describes it; <paramref name="Id"/> is the file's name without its last extension.</summary>
internal sealed record WorkflowFile(string Id, string Name, string Trigger, IReadOnlyList<JobDocument> Jobs)
{
    /// <summary>Empty for the built-in sample.</summary>
    public string FileName { get; init; } = "";

    public IReadOnlyDictionary<string, FileInput> Inputs { get; init; } = new Dictionary<string, FileInput>();

    /// <summary>Schedules as a JSON array; null for none.</summary>
    public string? SchedulesJson { get; init; }

    /// <summary>Lines of jobs, inputs and schedules, by path.</summary>
    public IReadOnlyDictionary<string, int> Lines { get; init; } = new Dictionary<string, int>();

    /// <summary>A fault that the definition's own check found, with the line of the job, input or schedule.</summary>
    public FileProblem At(DefinitionProblem problem)
    {
        for (var path = problem.Path; path.Length > 0; path = path[..Math.Max(path.LastIndexOf('.'), 0)])
        {
            if (Lines.TryGetValue(path, out var line)) return new(FileName, line, problem.Path, problem.Message);
        }

        return new(FileName, null, problem.Path, problem.Message);
    }
}

/// <summary>A job with its command composed.</summary>
internal sealed record JobDocument
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Command { get; init; }

    /// <summary>The same as steps, for workers that run each as a script of its own; null for a job that is a single script.</summary>
    public JobSteps? Script { get; init; }

    public IReadOnlyList<string> DependsOn { get; init; } = [];

    public IReadOnlyList<string> RequiredLabels { get; init; } = [];

    public JobRetry Retry { get; init; } = JobRetry.None;

    /// <summary>Longest time of one attempt.</summary>
    public long? TimeoutMs { get; init; }

    /// <summary>When the job runs: success, failure, always or an expression; null for success.</summary>
    public string? When { get; init; }

    /// <summary>A failure of the job does not fail the run.</summary>
    public bool IsOptional { get; init; }

    /// <summary>Group of jobs that the first failure among them cancels; null: none.</summary>
    public string? FailFast { get; init; }

    public int Priority { get; init; }

    /// <summary>Outputs of other jobs that the command reads from variables: variable, job, output.</summary>
    public IReadOnlyList<(string Variable, string Job, string? Output)> Upstream { get; init; } = [];
}

/// <summary>Retries of a job: how many, with which pauses, and after which exit codes.</summary>
internal sealed record JobRetry(long Max, string BackoffJson = "\"None\"", double? Jitter = null, IReadOnlyList<long>? OnExit = null)
{
    public static readonly JobRetry None = new(0);
}

/// <summary>A job's variables, those of the workflow first, and its steps that run something. Without steps the command says it all.</summary>
internal sealed record JobSteps(IReadOnlyList<KeyValuePair<string, string>> Environment, IReadOnlyList<ScriptStep> Steps)
{
    /// <summary>Characters in it, about.</summary>
    public long Weight => TextOf(Environment) + Steps.Sum(s => s.Label.Length + s.Run.Length + TextOf(s.Environment));

    private static long TextOf(IReadOnlyList<KeyValuePair<string, string>> variables) => variables.Sum(v => v.Key.Length + v.Value.Length);
}

/// <summary>A step as workers get it.</summary>
internal sealed record ScriptStep(string Label, string Run, IReadOnlyList<KeyValuePair<string, string>> Environment);

/// <summary>Either the file, or every problem found in it.</summary>
internal sealed record WorkflowFileResult(WorkflowFile? File, IReadOnlyList<FileProblem> Problems);
