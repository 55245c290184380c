using Broker.Core.Conditions;
using Broker.Core.Definitions;

namespace Broker.WorkflowFiles;

/// <summary>Compiler of the <c>if</c> of a step to shell text that is true or false. Values are read from variables when the step's turn comes.</summary>
internal sealed class ShellCondition
{
    // Two numbers are equal by value, and a shell compares whole numbers alone.
    private const string EqualNumbers = "awk 'BEGIN { exit !(ARGV[1] + 0 == ARGV[2] + 0) }'";

    private const string NothingFailed = """[ -z "$_broker_failed" ]""";
    private const string StepFailed = """[ -n "$_broker_failed" ]""";

    private readonly References references;
    private readonly Action<string> report;

    private ShellCondition(References references, Action<string> report) => (this.references, this.report) = (references, report);

    /// <summary>The condition of a step without <c>if</c>.</summary>
    public static string Default => NothingFailed;

    public static string Of(Expression expression, References references, Action<string> report)
    {
        var condition = new ShellCondition(references, report).Test(expression.Root);
        return expression.HasStatusFunction ? condition : $"{NothingFailed} && {condition}";
    }

    private string Test(Term term) => term switch
    {
        Term.Constant constant => constant.Value.IsTrue ? ":" : "false",
        Term.Read { Lookup: var lookup } => references.TypeOf(lookup) switch
        {
            InputType.Boolean => $"[ {Word(term)} = true ]",
            InputType.Number => $"! {EqualNumbers} {Word(term)} 0",
            InputType.Text or InputType.Choice => $"[ -n {Word(term)} ]",
        },
        Term.Not not => $"! {{ {Test(not.Part)}; }}",
        Term.Compare compare => $"{(compare.IsEqual ? "" : "! ")}{Equal(compare)}",
        Term.All all => $"{{ {string.Join(" && ", all.Of.Select(Test))}; }}",
        Term.Any any => $"{{ {string.Join(" || ", any.Of.Select(Test))}; }}",
        Term.Call call => Call(call),
        _ => throw new ArgumentOutOfRangeException(nameof(term), term, "No such term."),
    };

    private string Equal(Term.Compare compare) => IsNumber(compare.Left) && IsNumber(compare.Right)
        ? $"{EqualNumbers} {Word(compare.Left)} {Word(compare.Right)}"
        : $"[ {Word(compare.Left)} = {Word(compare.Right)} ]";

    private bool IsNumber(Term term) =>
        term is Term.Constant { Value.Kind: ValueKind.Number } || (term is Term.Read read && references.TypeOf(read.Lookup) is InputType.Number);

    private string Call(Term.Call call) => call.Function switch
    {
        ConditionFunction.Success => NothingFailed,
        ConditionFunction.Failure => StepFailed,
        ConditionFunction.Always => ":",
        // The worker ends the steps of a cancelled job.
        ConditionFunction.Cancelled => "false",
        ConditionFunction.Contains => Matches(call, "*{0}*"),
        ConditionFunction.StartsWith => Matches(call, "{0}*"),
        ConditionFunction.EndsWith => Matches(call, "*{0}"),
    };

    private string Matches(Term.Call call, string pattern) =>
        $"case {Word(call.Arguments[0])} in {pattern.Replace("{0}", Word(call.Arguments[1]), StringComparison.Ordinal)}) : ;; *) false ;; esac";

    private string Word(Term term)
    {
        switch (term)
        {
            case Term.Constant constant:
                return TemplateText.Quoted(constant.Value.Text);
            case Term.Read { Lookup: var lookup }:
                var (reference, problem) = references.Find(lookup);
                if (problem is not null) report($"{lookup}: {problem}");
                return reference.Variable is { } variable ? $"\"${{{variable}-}}\"" : TemplateText.Quoted(reference.Text ?? "");
            default:
                return $"\"$(if {Test(term)}; then echo true; else echo false; fi)\"";
        }
    }
}
