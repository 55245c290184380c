using System.Text;
using System.Text.Json;
using Broker.Core.Conditions;

namespace Broker.WorkflowFiles;

/// <summary>
/// A text of a file with <c>${{ }}</c> in it. Values of a matrix are put into the text; every other name becomes a reference to a variable,
/// so that no value of a run is ever read as shell text.
/// </summary>
internal sealed class TemplateText
{
    // No text of a file holds NUL, so one marks the place of a variable.
    private const char Mark = '\0';

    private readonly string flat;
    private readonly List<(string Variable, int At)> variables = [];

    private TemplateText(string flat) => this.flat = flat;

    /// <summary>The text, when it holds no variable.</summary>
    public string? Literal => variables.Count == 0 ? flat : null;

    /// <summary>Reads a text; what is wrong in it is reported, and stays as an empty text.</summary>
    public static TemplateText Read(ScalarNode node, string path, References references, FileProblems problems) =>
        Read(node.IsNull ? "" : node.Text, references, (at, message) => problems.Add(node.LineAt(at), path, message));

    public static TemplateText Read(string text, References references, Action<int, string> report)
    {
        if (!text.Contains("${{", StringComparison.Ordinal)) return new TemplateText(text);
        var flat = new StringBuilder();
        var found = new List<(string, int)>();
        var at = 0;
        for (var start = text.IndexOf("${{", StringComparison.Ordinal); start >= 0; start = text.IndexOf("${{", at, StringComparison.Ordinal))
        {
            flat.Append(text, at, start - at);
            var end = EndOf(text, start + 3);
            if (end < 0)
            {
                report(start, "${{ is not closed by }}");
                at = text.Length;
                break;
            }

            at = end + 2;
            var whole = text[start..at];
            var (reference, problem) = Find(text[(start + 3)..end], references);
            if (problem is not null)
            {
                report(start, $"{Shown(whole)}: {problem}");
            }
            else if (reference.Text is { } known)
            {
                flat.Append(known);
            }
            else
            {
                flat.Append(Mark);
                found.Add((reference.Variable!, start));
            }
        }

        var read = new TemplateText(flat.Append(text, at, text.Length - at).ToString());
        read.variables.AddRange(found);
        return read;
    }

    /// <summary>The text as one word of a shell: its value, whatever it holds.</summary>
    public string Word()
    {
        if (Literal is { } literal) return Quoted(literal);
        var word = new StringBuilder();
        var parts = flat.Split(Mark);
        for (var i = 0; i < parts.Length; i++)
        {
            if (i > 0) word.Append($"\"${{{variables[i - 1].Variable}}}\"");
            if (parts[i].Length > 0) word.Append(Quoted(parts[i]));
        }

        return word.ToString();
    }

    /// <summary>The text as shell text: a variable is one word, or a part of one. Places where no shell would expand it are reported.</summary>
    public string Shell(Action<int, string> report)
    {
        if (Literal is { } literal) return literal;
        var text = new StringBuilder();
        var places = ShellPlaces.Of(flat, Mark);
        var parts = flat.Split(Mark);
        for (var i = 0; i < parts.Length; i++)
        {
            if (i > 0)
            {
                var (variable, at) = variables[i - 1];
                if (ProblemOf(places[i - 1], variable) is { } problem) report(at, problem);
                text.Append(places[i - 1] is ShellPlace.Plain ? $"\"${{{variable}}}\"" : $"${{{variable}}}");
            }

            text.Append(parts[i]);
        }

        return text.ToString();
    }

    /// <summary>Reports each variable with the message that the function makes.</summary>
    public string Plain(Action<int, string> report, Func<string, string> message)
    {
        foreach (var (variable, at) in variables) report(at, message(variable));
        return flat.Replace($"{Mark}", "", StringComparison.Ordinal);
    }

    public static string Quoted(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private static (Reference, string?) Find(string inner, References references)
    {
        var (expression, problem, column) = Expression.Parse(inner);
        if (expression is null) return (default, $"column {column + 3}: {problem}");
        if (expression.Root is Term.Read read) return references.Find(read.Lookup);

        // Values of a matrix are known, and so is a condition that reads nothing else.
        var known = expression.Replace(lookup => lookup.Kind is LookupKind.Matrix && references.Find(lookup).Reference.Text is { } text ? new Term.Constant(ConditionValue.Of(text)) : null);
        return known.Lookups.IsEmpty && !known.HasStatusFunction
            ? (Reference.OfText(known.Root.In(NoScope.Instance).Text), null)
            : (default, "only names can stand here: inputs.NAME, env.NAME, matrix.NAME, needs.JOB.result, needs.JOB.outputs.NAME, steps.ID.outputs.NAME, steps.ID.outcome");
    }

    private static string? ProblemOf(ShellPlace place, string variable) => place switch
    {
        ShellPlace.Plain or ShellPlace.Double or ShellPlace.Here or ShellPlace.Comment => null,
        ShellPlace.Single => $"${{{{ }}}} is not replaced within single quotes, where a shell expands no variable; write double quotes, or ${variable}",
        ShellPlace.QuotedHere => $"${{{{ }}}} is not replaced in a here-document with a quoted end mark; remove its quotes, or print ${variable} by itself",
        ShellPlace.Backtick => "${{ }} is not replaced between backticks; write $( )",
        ShellPlace.Arithmetic => $"${{{{ }}}} is not replaced in $(( )), where a shell would evaluate the value; check it first and write ${variable}",
        ShellPlace.Escaped => "${{ }} is not replaced behind a backslash",
    };

    private static int EndOf(string text, int at)
    {
        var quoted = false;
        for (; at < text.Length; at++)
        {
            if (text[at] == '\'') quoted = !quoted;
            else if (!quoted && text[at] == '}' && at + 1 < text.Length && text[at + 1] == '}') return at;
        }

        return -1;
    }

    private static string Shown(string whole) => whole.Length <= 80 ? whole : $"{whole[..77]}...";
}

/// <summary>Scope of an expression that reads nothing.</summary>
internal sealed class NoScope : IConditionScope
{
    public static readonly NoScope Instance = new();

    public bool Success() => true;

    public bool Failure() => false;

    public bool Cancelled() => false;

    public JsonElement? Input(string name) => null;

    public string? Result(string job) => null;

    public string? Output(string job, string name) => null;
}
