namespace Broker.Core.Conditions;

/// <summary>Place that a lookup reads.</summary>
public enum LookupKind
{
    /// <summary><c>inputs.NAME</c></summary>
    Input,

    /// <summary><c>env.NAME</c></summary>
    Env,

    /// <summary><c>matrix.NAME</c>; replaced before a run, so it has no value in one.</summary>
    Matrix,

    /// <summary><c>needs.JOB.result</c></summary>
    Result,

    /// <summary><c>needs.JOB.outputs.NAME</c></summary>
    Output,

    /// <summary><c>steps.ID.outcome</c></summary>
    Outcome,

    /// <summary><c>steps.ID.outputs.NAME</c></summary>
    StepOutput,
}

/// <summary>One value that an expression reads.</summary>
/// <param name="Kind">Where it is.</param>
/// <param name="Name">The input, variable, job or step.</param>
/// <param name="Member">The name of an output; null otherwise.</param>
public sealed record ConditionLookup(LookupKind Kind, string Name, string? Member = null)
{
    /// <summary>The text that is parsed as this lookup.</summary>
    public override string ToString() => Kind switch
    {
        LookupKind.Input => $"inputs{Segment(Name)}",
        LookupKind.Env => $"env{Segment(Name)}",
        LookupKind.Matrix => $"matrix{Segment(Name)}",
        LookupKind.Result => $"needs{Segment(Name)}.result",
        LookupKind.Output => $"needs{Segment(Name)}.outputs{Segment(Member!)}",
        LookupKind.Outcome => $"steps{Segment(Name)}.outcome",
        LookupKind.StepOutput => $"steps{Segment(Name)}.outputs{Segment(Member!)}",
    };

    /// <summary>The value in a scope.</summary>
    public ConditionValue In(IConditionScope scope) => Kind switch
    {
        LookupKind.Input => ConditionValue.Of(scope.Input(Name)),
        LookupKind.Env => ConditionValue.Of(scope.Env(Name)),
        LookupKind.Matrix => ConditionValue.Null,
        LookupKind.Result => ConditionValue.Of(scope.Result(Name)),
        LookupKind.Output => ConditionValue.Of(scope.Output(Name, Member!)),
        LookupKind.Outcome => ConditionValue.Of(scope.Outcome(Name)),
        LookupKind.StepOutput => ConditionValue.Of(scope.StepOutput(Name, Member!)),
    };

    /// <summary>The lookup that a root word and the names after it spell; null when there is none.</summary>
    internal static ConditionLookup? Of(string root, IReadOnlyList<string> names) => (root, names) switch
    {
        ("inputs", [var name]) => new(LookupKind.Input, name),
        ("env", [var name]) => new(LookupKind.Env, name),
        ("matrix", [var name]) => new(LookupKind.Matrix, name),
        ("needs", [var job, "result"]) => new(LookupKind.Result, job),
        ("needs", [var job, "outputs", var name]) => new(LookupKind.Output, job, name),
        ("steps", [var step, "outcome"]) => new(LookupKind.Outcome, step),
        ("steps", [var step, "outputs", var name]) => new(LookupKind.StepOutput, step, name),
        _ => null,
    };

    internal static string HelpFor(string root, IReadOnlyList<string> names) => root switch
    {
        "inputs" or "env" or "matrix" => $"write {root}.NAME",
        "needs" => $"write needs.{names.FirstOrDefault("JOB")}.result or needs.{names.FirstOrDefault("JOB")}.outputs.NAME",
        "steps" => $"write steps.{names.FirstOrDefault("ID")}.outcome or steps.{names.FirstOrDefault("ID")}.outputs.NAME",
        _ => $"there is no '{root}'; there are inputs, env, needs, steps and matrix, and text stands in single quotes: 'text'",
    };

    private static string Segment(string name) => ExpressionParser.IsWord(name) ? $".{name}" : $"[{ConditionValue.Of(name)}]";
}
