using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Broker.Worker;

/// <summary>
/// Writes the shell script of a job. A single command runs as <c>sh -c</c>. Steps run in order, each from a file of its own, in one shell,
/// so that exports, functions and the folder carry over. The shell's options, traps, redirections and arguments are put back after each.
/// </summary>
internal static partial class JobScript
{
    // The kernel takes 131,072 bytes for one argument.
    private const int MaxArgumentBytes = 120_000;

    private const int StepsInPart = 16;

    /// <exception cref="FormatException">The job cannot be written as a script.</exception>
    public static void Write(JobFiles files, ClaimedJob job, JobEnvironment environment)
    {
        var steps = StepsOf(job);
        foreach (var step in steps)
        {
            // A shell would silently drop it.
            if (step.Run.Contains('\0', StringComparison.Ordinal)) throw new FormatException("the command holds a NUL character");
            foreach (var (name, value) in step.Env ?? new Dictionary<string, string>()) CheckName(name, value);
        }

        foreach (var (name, value) in environment.TooLarge) CheckName(name, value);

        if (job.Steps is not { Count: > 0 } && environment.TooLarge.Count == 0)
        {
            files.Write(files.ScriptPath, Single(files, steps[0].Run));
            return;
        }

        for (var i = 0; i < steps.Count; i++) files.Write(files.PathOf(FileOf(i + 1)), steps[i].Run + "\n");
        files.Write(files.PathOf("session"), Session(files, steps, environment, labelled: job.Steps is { Count: > 0 }));
        files.Write(files.ScriptPath, Guard(files));
    }

    /// <summary>The name of a step in log lines and errors; null when the job has no steps.</summary>
    public static string? NameOf(ClaimedJob job, string progress) =>
        job.Steps is { Count: > 0 } steps
        && int.TryParse(progress, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= steps.Count
            ? Label(steps[number - 1], number)
            : null;

    private static IReadOnlyList<JobStep> StepsOf(ClaimedJob job) => job.Steps is { Count: > 0 } steps ? steps : [new JobStep(job.Command)];

    private static string Label(JobStep step, int number) =>
        new([.. (step.Name ?? string.Create(CultureInfo.InvariantCulture, $"step {number}")).Select(c => char.IsControl(c) ? ' ' : c)]);

    private static string Single(JobFiles files, string command)
    {
        var start = $"echo 1 >{Quote(files.StartedPath)} || exit 125\n";
        if (Encoding.UTF8.GetByteCount(command) <= MaxArgumentBytes) return $"{start}exec sh -c {Quote(command)}\n";

        var path = files.PathOf(FileOf(1));
        files.Write(path, command + "\n");
        return $"{start}exec sh {Quote(path)}\n";
    }

    /// <summary>
    /// Waits for the shell of the steps. It is a process of its own, so that a step's signal to its shell (<c>$$</c>) reaches the shell that runs it.
    /// A step that ends the shell with success (exit, exec, set -n) ends itself only: a new shell goes on with the next step. It starts with the
    /// variables and the folder that the step left.
    /// </summary>
    private static string Guard(JobFiles files) => $"""
        echo 1 >{Quote(files.StartedPath)} || exit 125
        _broker_dir={Quote(Path.GetDirectoryName(files.ScriptPath)!)}
        _broker_shell=$(command -v sh) || exit 125
        _broker_next=1
        while :; do
          "$_broker_shell" "$_broker_dir/session" "$_broker_next"
        {Continue}
        done

        """;

    // Status 0 without the mark of the end: step _broker_at has left the shell. A failed or finished job ends here, and one whose folder is gone.
    private const string Continue = """
        _broker_status=$?
        case $_broker_status in 0) ;; *) exit "$_broker_status" ;; esac
        _broker_at=
        command test -f "$_broker_dir/step" && command . "$_broker_dir/step"
        case $_broker_at in end) exit 0 ;; [1-9]*) ;; *) exit 125 ;; esac
        case $((_broker_at < _broker_next)) in 1) exit 125 ;; esac
        if command test -f "$_broker_dir/left-$_broker_at" && ( . "$_broker_dir/left-$_broker_at" ) 2>/dev/null; then
        . "$_broker_dir/left-$_broker_at"
        command cd -- "$_broker_folder"
        unset _broker_folder
        fi
        _broker_next=$((_broker_at + 1))
        """;

    private static string Session(JobFiles files, IReadOnlyList<JobStep> steps, JobEnvironment environment, bool labelled)
    {
        // A copy of the shell comes here with its variables set. 6 and 7 keep the log's pipes, since a step may redirect 1 and 2.
        var script = new StringBuilder($"""
            case $_broker_copy in '')
            _broker_dir={Quote(Path.GetDirectoryName(files.ScriptPath)!)}
            _broker_next=$1
            _broker_options=$(set +o)
            exec 6>&1 7>&2

            """);
        // Not exported: no program could be started with it.
        foreach (var (name, value) in environment.TooLarge) script.Append(CultureInfo.InvariantCulture, $"{name}={Quote(value)}\n");
        script.Append(";;\nesac\n");

        // Each step is a file, so that a copy of the shell that begins at step 500 does not read the 499 before it.
        for (var first = 1; first <= steps.Count; first += StepsInPart)
        {
            var last = Math.Min(first + StepsInPart - 1, steps.Count);
            var part = new StringBuilder();
            for (var number = first; number <= last; number++) AppendStep(part, files, steps[number - 1], number, labelled);
            var path = files.PathOf(string.Create(CultureInfo.InvariantCulture, $"part{first}"));
            files.Write(path, part.ToString());
            script.Append(CultureInfo.InvariantCulture, $"case $((_broker_next <= {last})) in 1) . {Quote(path)} ;; esac\n");
        }

        script.Append("""
            command echo _broker_at=end >"$_broker_dir/step"
            exit 0

            """);
        return script.ToString();
    }

    private static void AppendStep(StringBuilder script, JobFiles files, JobStep step, int number, bool labelled)
    {
        script.Append(CultureInfo.InvariantCulture, $"case $((_broker_next <= {number})) in 1)\n");
        // Before a copy is made of the shell: they stay in force for later steps.
        foreach (var (name, value) in step.Env ?? new Dictionary<string, string>())
            script.Append(CultureInfo.InvariantCulture, $"{(JobEnvironment.FitsProcess(name, value) ? "export " : "")}{name}={Quote(value)}\n");
        var leaves = LeavesItsShell().IsMatch(step.Run);
        if (leaves)
        {
            // Such a step runs in a copy of the shell, with all later steps; when it ends the copy, functions are still here.
            script.Append(CultureInfo.InvariantCulture, $$"""
                case $_broker_copy in {{number}}) ;; *)
                ( _broker_next={{number}}; _broker_copy={{number}}; . "$_broker_dir/session" )
                {{Continue}}
                esac
                ;;
                esac
                case $((_broker_next <= {{number}})) in 1)

                """);
        }

        // A step may have put a FIFO there, which would wait for a reader.
        script.Append(CultureInfo.InvariantCulture, $"command test -f \"$_broker_dir/step\" && command echo _broker_at={number} >\"$_broker_dir/step\" || exit 125\n");
        if (labelled) script.Append(CultureInfo.InvariantCulture, $"command printf '%s\\n' {Quote($"=== {Label(step, number)} ===")}\n");
        // A step may have made an alias of one of these names: the backslashes bypass it.
        var leave = $$"""
            { _broker_status=$?; \set +xv; } 2>/dev/null
            case $_broker_status in 0) _broker_folder=$PWD; \export _broker_folder; { \export -p; command echo "umask $(\umask)"; } >"$_broker_dir/left-{{number}}" ;; esac
            \exit "$_broker_status"
            """;
        script.Append(CultureInfo.InvariantCulture, $$"""
            trap {{Quote(leave)}} EXIT
            set --
            { . {{Quote(files.PathOf(FileOf(number)))}}; } </dev/null >&6 2>&7 6>&1 7>&2
            { _broker_status=$?; set +xv; eval "$_broker_options"; } 2>/dev/null

            """);
        if (leaves)
        {
            script.Append(CultureInfo.InvariantCulture, $$"""
                {{(EndsTheOriginal().IsMatch(step.Run) ? "command sleep 0.2" : ":")}}
                _broker_line=
                { command read -r _broker_line <"/proc/$$/stat"; } 2>/dev/null
                case ${_broker_line##*") "} in '' | Z* | X*) exit 137 ;; esac

                """);
        }

        // A trap that the step has set for its end must run now, and only the end of its shell runs it.
        script.Append(SetsExitTrap().IsMatch(step.Run) ? leave.Replace("_broker_status=$?; ", "", StringComparison.Ordinal) + "\n" : """
            trap - EXIT HUP INT QUIT PIPE ALRM TERM USR1 USR2
            unalias -a
            case $_broker_status in 0) ;; *) exit "$_broker_status" ;; esac

            """);
        script.Append(";;\nesac\n");
    }

    private static void CheckName(string name, string value)
    {
        JobEnvironment.Check(name, value);
        if (!ShellName().IsMatch(name)) throw new FormatException($"env {name}: a shell takes names of letters, digits and _ only");
    }

    private static string FileOf(int number) => string.Create(CultureInfo.InvariantCulture, $"{number}.sh");

    private static string Quote(string text) => "'" + text.Replace("'", @"'\''", StringComparison.Ordinal) + "'";

    [GeneratedRegex(@"\b(exit|exec|noexec|set\s+-[A-Za-z]*n|trap\b[\s\S]*\b(EXIT|0))\b")]
    private static partial Regex LeavesItsShell();

    // In a copy, $$ is the shell that the copy was made of. The copy must not go on without it, and it takes a moment to end.
    [GeneratedRegex(@"\bkill\b[^\n]*\$(\$|\{\$\})")]
    private static partial Regex EndsTheOriginal();

    // A trap may have several lines.
    [GeneratedRegex(@"\btrap\b[\s\S]*\b(EXIT|0)\b")]
    private static partial Regex SetsExitTrap();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex ShellName();
}
