using System.Globalization;
using Broker.Core.Conditions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Broker.Core.Tests.Conditions;

public sealed class ExpressionProperties
{
    private static readonly string[] Names = ["a", "b-1", "_x", "it's", "a b", "outputs", "é", ""];

    private static readonly string[] Pieces =
    [
        "true", "null", "inputs", ".", "['", "']", "a", "(", ")", "!", "==", "!=", "&&", "||", "'", "''", "3", "-", "1e5", " ", "${{", "}}", ",", "contains", "success", "needs.a.result",
        "\0", "\ud83d", "é", "\"", "<", "=",
    ];

    [Fact]
    public void Any_text_gives_an_expression_or_a_fault_within_the_text() =>
        Prop.ForAll(
            Gen.OneOf(Texts(), from text in ArbMap.Default.GeneratorFor<string>() select text ?? "").ToArbitrary(),
            text => Expression.Parse(text) is var read
                && (read.Expression is null ? read.Problem is not null && read.Column >= 1 && read.Column <= text.Length + 1 : read.Problem is null))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Text_that_parses_is_printed_as_the_same_expression() =>
        Prop.ForAll(Texts().ToArbitrary(), text => Expression.Parse(text).Expression is not { } read || IsSame(read))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void A_printed_expression_is_parsed_as_the_same() =>
        Prop.ForAll(Conditions().ToArbitrary(), term => IsSame(new Expression(term))).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void A_parsed_expression_decides_as_its_terms_do() =>
        Prop.ForAll(Conditions().ToArbitrary(), Gen.Choose(0, 7).ToArbitrary(), (term, seed) =>
        {
            var scope = new AScope
            {
                HasFailed = (seed & 1) > 0,
                IsCancelled = (seed & 2) > 0,
                Inputs = new() { ["a"] = (seed & 4) > 0 ? "true" : "3.0", ["_x"] = "\"a b\"" },
                Results = new() { ["a"] = "success", ["a b"] = "failure" },
            };
            return Expression.Parse(term.ToString()).Expression!.Root.In(scope) == term.In(scope);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static bool IsSame(Expression expression)
    {
        var text = expression.ToString();
        return text.Length > ExpressionParser.MaxLength || (Expression.Parse(text).Expression is { } again
            && again.ToString() == text && again.Needs.SequenceEqual(expression.Needs) && again.Lookups.SequenceEqual(expression.Lookups));
    }

    private static Gen<string> Texts() => from pieces in Gen.Elements(Pieces).ListOf() select string.Concat(pieces);

    private static Gen<Term> Conditions() => Gen.Sized(size => Conditions(Math.Min(size, 5)));

    private static Gen<Term> Conditions(int size)
    {
        var leaf = Gen.OneOf(
            Values(),
            Gen.Elements(ConditionFunction.Success, ConditionFunction.Failure, ConditionFunction.Always, ConditionFunction.Cancelled)
                .Select(function => (Term)new Term.Call(function, [])));
        if (size == 0) return leaf;
        var part = Conditions(size - 1);
        return Gen.OneOf(
            leaf,
            part.Select(p => (Term)new Term.Not(p)),
            from parts in part.ListOf(3) select (Term)new Term.All([.. parts]),
            from parts in part.ListOf(2) select (Term)new Term.Any([.. parts]),
            from left in Comparable(size) from right in Comparable(size) from same in Gen.Elements(true, false) select (Term)new Term.Compare(left, right, same),
            from left in Comparable(size)
            from right in Comparable(size)
            from function in Gen.Elements(ConditionFunction.Contains, ConditionFunction.StartsWith, ConditionFunction.EndsWith)
            select (Term)new Term.Call(function, [left, right]));
    }

    // Joined conditions are no operands of comparisons.
    private static Gen<Term> Comparable(int size) => Conditions(size - 1).Select(term => term is Term.All or Term.Any ? new Term.Not(term) : term);

    private static Gen<Term> Values() => Gen.OneOf(
        Gen.Elements(ConditionValue.Null, ConditionValue.True, ConditionValue.False).Select(value => (Term)new Term.Constant(value)),
        Gen.Elements(Names).Select(text => (Term)new Term.Constant(ConditionValue.Of(text))),
        Gen.Choose(-30, 30).Select(number => (Term)new Term.Constant(new(ValueKind.Number, (number / 10m).ToString(CultureInfo.InvariantCulture)))),
        from kind in Gen.Elements(Enum.GetValues<LookupKind>())
        from name in Gen.Elements(Names)
        from member in Gen.Elements(Names)
        select (Term)new Term.Read(new(kind, name, kind is LookupKind.Output or LookupKind.StepOutput ? member : null)));
}
