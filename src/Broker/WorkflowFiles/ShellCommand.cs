using System.Text;

namespace Broker.WorkflowFiles;

/// <summary>A step of a job, as far as the command is made of it. <paramref name="Label"/> is its heading in the log.</summary>
internal sealed record StepText(string Label, string? Run, IReadOnlyList<KeyValuePair<string, string>> Environment)
{
    /// <summary>A step without a command is a place in the list and nothing else.</summary>
    public bool Runs => !string.IsNullOrWhiteSpace(Run);
}

/// <summary>The one shell command that a job becomes for workers that know no steps.</summary>
internal static class ShellCommand
{
    /// <summary>Bytes of <c>NAME=value</c> with its end mark that Linux hands to a program (MAX_ARG_STRLEN); a longer one fails every program.</summary>
    internal const int MostExported = 128 * 1024;

    /// <summary>
    /// The parts joined with <c>&amp;&amp;</c>. Exports and directories stay in force for later steps. A part that is not a simple
    /// line is joined as <c>eval '…'</c>. A comment, a here-document, <c>;</c>, <c>||</c> or a syntax error then ends with its own step.
    /// A failing first line of several does not stop the job: workflows rely on that.
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
            // A single part needs no joining, and the status shows it: it stays as written.
            var text = run?.Trim() ?? "";
            parts.Add(parts.Count == 0 ? text : Joinable(text));
        }

        foreach (var step in steps.Where(s => s.Runs))
        {
            parts.AddRange(step.Environment.Select(Export));
            parts.Add($"echo {Quoted($"=== {step.Label} ===")}");
            parts.Add(Joinable(step.Run!.Trim()));
        }

        // An empty part would leave an operator without an operand, which no shell accepts.
        return string.Join(" && ", parts.Where(p => p.Length > 0));
    }

    /// <summary>The command with these variables set before it.</summary>
    public static string WithVariables(IReadOnlyList<KeyValuePair<string, string>> variables, string command) =>
        string.Join(" && ", variables.Select(Export).Append(Joinable(command)).Where(part => part.Length > 0));

    private static string Joinable(string run) => run.Length == 0 || SimpleLine.Is(run) ? run : $"eval {Quoted(run)}";

    // Too long to be handed to programs, it stays a variable of the shell: exported, it would make every program fail to start.
    private static string Export(KeyValuePair<string, string> variable) =>
        $"{(IsExportable(variable) ? "export " : "")}{variable.Key}={Quoted(variable.Value)}";

    private static bool IsExportable(KeyValuePair<string, string> variable) =>
        variable.Key.Length + Encoding.UTF8.GetByteCount(variable.Value) + "=\0".Length <= MostExported;

    private static string Quoted(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
