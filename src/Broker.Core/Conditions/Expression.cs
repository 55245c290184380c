using System.Collections.Immutable;

namespace Broker.Core.Conditions;

/// <summary>An expression, or what is wrong with its text and at which column, counted from 1.</summary>
public sealed record ExpressionReading(Expression? Expression, string? Problem, int Column);

/// <summary>
/// A parsed condition of a job or a step, such as <c>failure() &amp;&amp; inputs.notify</c>. docs/workflow-files.md has the language.
/// </summary>
public sealed class Expression
{
    internal Expression(Term root)
    {
        Root = root;
        var terms = new Stack<Term>([root]);
        var lookups = ImmutableArray.CreateBuilder<ConditionLookup>();
        while (terms.TryPop(out var term))
        {
            if (term is Term.Read read && !lookups.Contains(read.Lookup)) lookups.Add(read.Lookup);
            HasStatusFunction |= term is Term.Call { Function: not (ConditionFunction.Contains or ConditionFunction.StartsWith or ConditionFunction.EndsWith) };
            foreach (var part in term.Parts.Reverse()) terms.Push(part);
        }

        Lookups = lookups.ToImmutable();
        Needs = [.. Lookups.Where(read => read.Kind is LookupKind.Result or LookupKind.Output).Select(read => read.Name).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The parsed text.</summary>
    public Term Root { get; }

    /// <summary>Whether it calls <c>success</c>, <c>failure</c>, <c>always</c> or <c>cancelled</c>. One that does not means <c>success() &amp;&amp; (…)</c>.</summary>
    public bool HasStatusFunction { get; }

    /// <summary>Every value that it reads, once.</summary>
    public ImmutableArray<ConditionLookup> Lookups { get; }

    /// <summary>Jobs whose result or outputs it reads.</summary>
    public ImmutableArray<string> Needs { get; }

    /// <summary>Reads an expression, with or without <c>${{ }}</c> around it.</summary>
    public static ExpressionReading Parse(string text) => ExpressionParser.Parse(text);

    /// <summary>Decides; <c>success()</c> is asked for too where the text names no status function.</summary>
    public bool IsTrue(IConditionScope scope) => (HasStatusFunction || scope.Success()) && Root.In(scope).IsTrue;

    /// <summary>The same with some lookups replaced; null from the function keeps one.</summary>
    public Expression Replace(Func<ConditionLookup, Term?> known) => new(Root.Replace(known));

    /// <summary>Text that is parsed as this expression.</summary>
    public override string ToString() => Root.ToString();
}
