using System.Globalization;
using System.Text;

namespace Broker.WorkflowFiles;

/// <summary>The one shell command that a job becomes for workers that know no steps.</summary>
internal static class ShellCommand
{
    /// <summary>
    /// The parts joined with <c>&amp;&amp;</c>. Exports and directories stay in force for later steps. A part that is not a simple
    /// line is joined as <c>eval '…'</c>. A comment, a here-document, <c>;</c>, <c>||</c> or a syntax error then ends with its own step.
    /// A failing first line of several does not stop the job: workflows rely on that.
    /// </summary>
    public static string Compose(IReadOnlyList<ShellVariable> variables, StepText? run, IReadOnlyList<StepText> steps)
    {
        var parts = new List<string>();
        if (run?.NeedsWorkspace == true || steps.Any(step => step.NeedsWorkspace)) parts.Add("export BROKER_WORKSPACE=\"${BROKER_WORKSPACE:-$PWD}\"");
        parts.AddRange(variables.Select(variable => variable.Export));

        if (run is not null && steps.Count == 0)
        {
            // A single part needs no joining, and the status shows it: it stays as written.
            parts.Add(parts.Count == 0 ? run.Run ?? "" : Joinable(run));
        }

        foreach (var step in steps.Where(s => s.Runs))
        {
            parts.AddRange(step.Environment.Select(variable => variable.Export));
            parts.Add($"echo {TemplateText.Quoted($"=== {step.Label} ===")}");
            parts.Add(Joinable(step));
        }

        // An empty part would leave an operator without an operand, which no shell accepts.
        return string.Join(" && ", parts.Where(p => p.Length > 0));
    }

    /// <summary>The command with these variables set before it.</summary>
    public static string WithVariables(IReadOnlyList<KeyValuePair<string, string>> variables, string command) =>
        string.Join(" && ", variables.Select(variable => ShellVariable.Of(variable.Key, variable.Value).Export).Append(Joinable(command)).Where(part => part.Length > 0));

    public static string Joinable(StepText step) => step.IsOneCommand ? step.Run! : Joinable(step.Run ?? "");

    private static string Joinable(string run) => run.Length == 0 || SimpleLine.Is(run) ? run : $"eval {TemplateText.Quoted(run)}";
}

/// <summary>A variable with its value, where no value of the run is in it, and as a word of a shell.</summary>
internal sealed record ShellVariable(string Name, string? Value, string Word)
{
    /// <summary>Bytes of <c>NAME=value</c> with its end mark that Linux hands to a program (MAX_ARG_STRLEN); a longer one fails every program.</summary>
    internal const int MostExported = 128 * 1024;

    public static ShellVariable Of(string name, string value) => new(name, value, TemplateText.Quoted(value));

    // Too long to be handed to programs, it stays a variable of the shell: exported, it would make every program fail to start.
    public string Export => $"{(Name.Length + Encoding.UTF8.GetByteCount(Value ?? Word) + "=\0".Length <= MostExported ? "export " : "")}{Name}={Word}";
}

/// <summary>A step of a job, as far as the command is made of it. <paramref name="Label"/> is its heading in the log.</summary>
internal sealed record StepText(string Label, string? Run, IReadOnlyList<ShellVariable> Environment)
{
    /// <summary>Its place in the list of steps, from 1.</summary>
    public int Number { get; init; }

    public string? Id { get; init; }

    /// <summary>When the step runs, as shell text; null while nothing has failed.</summary>
    public string? Condition { get; init; }

    /// <summary>A failure of the step does not fail the job.</summary>
    public bool ContinuesOnError { get; init; }

    /// <summary>The text is one command already, and is joined as it is.</summary>
    public bool IsOneCommand { get; init; }

    /// <summary>It begins in a folder that is relative to the job's.</summary>
    public bool NeedsWorkspace { get; init; }

    /// <summary>A step without a command is a place in the list and nothing else.</summary>
    public bool Runs => !string.IsNullOrWhiteSpace(Run);
}

/// <summary>Form of a step's text for another shell, another folder, or a time limit: one command, which ends with what it has set.</summary>
internal static class StepWrap
{
    // A process that ignores the end of its time is killed.
    private const int KillAfterSecs = 10;

    // As GitHub's documentation has them.
    private static readonly Dictionary<string, string> Shorthands = new(StringComparer.Ordinal)
    {
        ["sh"] = "sh -e",
        ["bash"] = "bash --noprofile --norc -eo pipefail",
        ["python"] = "python3 {0}",
    };

    private static readonly string[] Expanding = ["sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"];

    public static string ShellOf(string written) => Shorthands.GetValueOrDefault(written.Trim(), written.Trim());

    /// <summary>Whether the shell expands variables as sh does.</summary>
    public static bool Expands(string shell) => Expanding.Contains(Path.GetFileName(shell.Split(' ', '\t')[0]));

    public static string Wrap(string run, string? shell, string? folder, int? timeoutSecs)
    {
        var limit = timeoutSecs is { } secs ? string.Create(CultureInfo.InvariantCulture, $"timeout -k {KillAfterSecs} {secs} ") : "";
        var text = TemplateText.Quoted(run);
        var command = shell switch
        {
            null when timeoutSecs is null => $"eval {text}",
            null => $"{limit}sh -c {text}",
            _ when shell.Contains("{0}", StringComparison.Ordinal) =>
                "_broker_file=$(mktemp) && trap 'rm -f -- \"$_broker_file\"' EXIT && "
                + $"printf '%s\\n' {text} >\"$_broker_file\" && {limit}{shell.Replace("{0}", "\"$_broker_file\"", StringComparison.Ordinal)}",
            _ => $"{limit}{shell} -c {text}",
        };
        return $"( {(folder is null ? "" : $"cd -- {folder} && ")}{command} )";
    }
}
