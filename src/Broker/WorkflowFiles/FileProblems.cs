namespace Broker.WorkflowFiles;

/// <summary>Why a file is left out, and where in it the reason stands: a line, and the path of a key such as <c>jobs.test.steps[0].run</c>.</summary>
internal sealed record FileProblem(string File, int? Line, string? Path, string Message)
{
    /// <summary>One line for standard error.</summary>
    public override string ToString() => $"{File}{(Line is null ? "" : $":{Line}")}: {(string.IsNullOrEmpty(Path) ? "" : $"{Path}: ")}{Message}";
}

/// <summary>List of the problems of one file, each once: jobs of one matrix have theirs in common.</summary>
internal sealed class FileProblems(string file)
{
    /// <summary>Problems in one answer, at most.</summary>
    private const int MostShown = 200;

    private readonly HashSet<FileProblem> found = [];

    public bool Any => found.Count > 0;

    /// <summary>In the order of the file; problems without a line come first.</summary>
    public IReadOnlyList<FileProblem> All => [.. found.OrderBy(problem => problem.Line ?? 0)];

    public void Add(int? line, string path, string message)
    {
        if (found.Count < MostShown) found.Add(new(file, line, path, message));
    }

    public static string Under(string path, string field) => path.Length == 0 ? field : $"{path}.{field}";
}
