namespace Broker.WorkflowFiles;

/// <summary>A step of a job, as far as the command is made of it. <paramref name="Label"/> is what its heading says.</summary>
internal sealed record StepText(string Label, string? Run, IReadOnlyList<KeyValuePair<string, string>> Environment);

/// <summary>The one shell command that a job becomes.</summary>
internal static class ShellCommand
{
    /// <summary>
    /// The parts joined with <c>&amp;&amp;</c>. Inner lines are not grouped: after a failing first line the rest of a
    /// multi-line run goes on, which workflows rely on. Exports stay in force for later steps.
    /// </summary>
    public static string Compose(
        IReadOnlyList<KeyValuePair<string, string>> workflow,
        IReadOnlyList<KeyValuePair<string, string>> job,
        string? run,
        IReadOnlyList<StepText> steps)
    {
        var parts = new List<string>();
        parts.AddRange(workflow.Select(Export));
        parts.AddRange(job.Select(Export));

        if (steps.Count == 0)
        {
            parts.Add(run?.Trim() ?? "");
        }

        foreach (var step in steps.Where(s => !string.IsNullOrWhiteSpace(s.Run)))
        {
            parts.AddRange(step.Environment.Select(Export));
            parts.Add($"echo {Quoted($"=== {step.Label} ===")}");
            parts.Add(step.Run!.Trim());
        }

        // An empty part would leave an operator without an operand, which no shell accepts.
        return string.Join(" && ", parts.Where(p => p.Length > 0));
    }

    private static string Export(KeyValuePair<string, string> variable) => $"export {variable.Key}={Quoted(variable.Value)}";

    private static string Quoted(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
