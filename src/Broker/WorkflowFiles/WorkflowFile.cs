namespace Broker.WorkflowFiles;

/// <summary>A workflow as its file describes it; <paramref name="Id"/> is the file's name without its last extension.</summary>
internal sealed record WorkflowFile(string Id, string Name, string Trigger, IReadOnlyList<JobDocument> Jobs)
{
    /// <summary>Empty for the built-in sample.</summary>
    public string FileName { get; init; } = "";
}

/// <summary>A job with its command composed. <c>TimeoutSecs</c> and <c>If</c> are accepted and have no effect.</summary>
internal sealed record JobDocument
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Command { get; init; }

    /// <summary>The same as steps, for workers that run each as a script of its own; null for a job that is a single <c>run</c>.</summary>
    public JobSteps? Script { get; init; }

    public IReadOnlyList<string> DependsOn { get; init; } = [];

    public IReadOnlyList<string> RequiredLabels { get; init; } = [];

    public int MaxRetries { get; init; }

    public long? TimeoutSecs { get; init; }

    public string? If { get; init; }
}

/// <summary>A job's variables, those of the workflow first, and its steps that run something.</summary>
internal sealed record JobSteps(IReadOnlyList<KeyValuePair<string, string>> Environment, IReadOnlyList<StepText> Steps)
{
    /// <summary>Characters in it, about.</summary>
    public long Weight => TextOf(Environment) + Steps.Sum(s => s.Label.Length + s.Run!.Length + TextOf(s.Environment));

    private static long TextOf(IReadOnlyList<KeyValuePair<string, string>> variables) => variables.Sum(v => v.Key.Length + v.Value.Length);
}

/// <summary>Why a file is left out, and where in it the reason stands.</summary>
internal sealed record FileProblem(string File, string? Job, string? Field, string Message)
{
    /// <summary>One line for standard error.</summary>
    public override string ToString() =>
        $"{File}: {(Job is null ? "" : $"job '{Job}': ")}{(Field is null ? "" : $"{Field}: ")}{Message}";
}

/// <summary>Either the file, or every problem found in it.</summary>
internal sealed record WorkflowFileResult(WorkflowFile? File, IReadOnlyList<FileProblem> Problems);
