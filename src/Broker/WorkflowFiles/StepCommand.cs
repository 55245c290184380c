using System.Globalization;
using System.Text;

namespace Broker.WorkflowFiles;

/// <summary>An output of a job: its name, and its value as a word of a shell.</summary>
internal sealed record JobOutput(string Name, string Word);

/// <summary>
/// The command of a job whose steps have conditions, go on after an error, or read each other: a script that every worker runs alike.
/// Each step runs in a copy of the shell, so that no step can end the job; its exported variables and its folder go on to the next.
/// </summary>
internal static class StepCommand
{
    // $_broker_own: the output file, where the worker gives none. $_broker_state: what the last step exported. $_broker_failed: exit code of the first step that failed.
    private const string Beginning = """
        _broker_own=
        [ -n "${BROKER_OUTPUT-}" ] || _broker_own=$(mktemp) || exit
        export BROKER_OUTPUT="${BROKER_OUTPUT:-$_broker_own}"
        _broker_state=$(mktemp "$BROKER_OUTPUT.XXXXXX") || exit
        _broker_failed=
        _broker_keep() { _broker_folder=$PWD; export _broker_folder; export -p >"$_broker_state"; }
        _broker_ended() {
        . "$_broker_state"
        cd -- "${_broker_folder:-.}"
        if [ "$1" -eq 0 ]; then _broker_outcome=success; return; fi
        _broker_outcome=failure
        printf 'step "%s" failed with exit code %s\n' "$2" "$1" >&2
        [ -n "$3" ] || _broker_failed=${_broker_failed:-$1}
        }
        """;

    // The lines of the output file from byte $1 on; the last value of the name in $2.
    private const string OutputReader = """
        _broker_size() { wc -c <"$BROKER_OUTPUT" | tr -d ' '; }
        _broker_value() {
        tail -c "+$(($1 + 1))" "$BROKER_OUTPUT" | _broker_name=$2 awk '
        BEGIN { name = ENVIRON["_broker_name"] }
        { sub(/\r$/, "") }
        inside { if ($0 == end) { inside = 0 } else if (mine) { value = value between $0; between = "\n" } next }
        { equals = index($0, "="); here = index($0, "<<") }
        here && (!equals || here < equals) {
        inside = 1; end = substr($0, here + 2); mine = substr($0, 1, here - 1) == name
        if (mine) { value = ""; between = "" }
        next
        }
        equals && substr($0, 1, equals - 1) == name { value = substr($0, equals + 1) }
        END { printf "%s", value }'
        }
        """;

    /// <summary>The variable with the outcome of a step: success, failure or skipped.</summary>
    public static string OutcomeOf(int step) => string.Create(CultureInfo.InvariantCulture, $"_broker_outcome_{step}");

    public static string Compose(IReadOnlyList<ShellVariable> variables, IReadOnlyList<StepText> steps, References references, IReadOnlyList<JobOutput> outputs)
    {
        var script = new StringBuilder();
        foreach (var variable in variables) Line(script, variable.Export);
        if (steps.Any(step => step.NeedsWorkspace)) Line(script, "export BROKER_WORKSPACE=\"${BROKER_WORKSPACE:-$PWD}\"");
        Line(script, Beginning);
        if (steps.Any(step => step.Id is { } id && references.OutputsOf(id).Count > 0)) Line(script, OutputReader);
        foreach (var step in steps.Where(step => step.Runs)) Append(script, step, references);
        foreach (var output in outputs) AppendOutput(script, output);
        Line(script, """rm -f -- "$_broker_state" ${_broker_own:+"$_broker_own"}""");
        return script.Append("exit \"${_broker_failed:-0}\"").ToString();
    }

    private static void Append(StringBuilder script, StepText step, References references)
    {
        var outputs = step.Id is { } id ? references.OutputsOf(id) : [];
        if (outputs.Count > 0) Line(script, "_broker_from=$(_broker_size)");
        Line(script, $"if {step.Condition ?? ShellCondition.Default}; then");
        foreach (var variable in step.Environment) Line(script, variable.Export);
        Line(script, $"echo {TemplateText.Quoted($"=== {step.Label} ===")}");
        Line(script, ": >\"$_broker_state\"");
        Line(script, $"( trap _broker_keep EXIT; {ShellCommand.Joinable(step)} )");
        Line(script, $"_broker_ended \"$?\" {TemplateText.Quoted(step.Label)} {(step.ContinuesOnError ? "on" : "''")}");
        Line(script, "else");
        Line(script, "_broker_outcome=skipped");
        Line(script, "fi");
        if (step.Id is not null) Line(script, $"export {OutcomeOf(step.Number)}=$_broker_outcome");
        foreach (var (variable, output) in outputs) Line(script, $"export {variable}=\"$(_broker_value \"$_broker_from\" {TemplateText.Quoted(output)})\"");
    }

    private static void AppendOutput(StringBuilder script, JobOutput output) =>
        Line(script, $"printf '%s<<%s\\n%s\\n%s\\n' {TemplateText.Quoted(output.Name)} \"_broker_end_$$\" {output.Word} \"_broker_end_$$\" >>\"$BROKER_OUTPUT\"");

    private static void Line(StringBuilder script, string text) => script.Append(text).Append('\n');
}
