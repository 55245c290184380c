using System.Collections.Immutable;

namespace Broker.Core.Conditions;

/// <summary>Node of a parsed expression. Printed and parsed again, it is the same.</summary>
public abstract record Term
{
    private const int AnyRank = 1, AllRank = 2, EqualRank = 3, NotRank = 4, WholeRank = 5;

    private Term()
    {
    }

    /// <summary>Terms right below.</summary>
    public virtual IEnumerable<Term> Parts => [];

    /// <summary>Whether it is a condition: true or false, and no text.</summary>
    public virtual bool IsCondition => true;

    private protected virtual int Rank => WholeRank;

    /// <summary>The value in a scope.</summary>
    public abstract ConditionValue In(IConditionScope scope);

    /// <summary>The same with some lookups replaced; null from the function keeps one.</summary>
    public virtual Term Replace(Func<ConditionLookup, Term?> known) => this;

    private string Within(int rank) => Rank >= rank ? ToString()! : $"({this})";

    /// <summary>A value that stands in the text.</summary>
    public sealed record Constant(ConditionValue Value) : Term
    {
        public override bool IsCondition => Value.Kind is ValueKind.Boolean;

        public override ConditionValue In(IConditionScope scope) => Value;

        public override string ToString() => Value.ToString();
    }

    /// <summary>A value that is read.</summary>
    public sealed record Read(ConditionLookup Lookup) : Term
    {
        public override bool IsCondition => false;

        public override ConditionValue In(IConditionScope scope) => Lookup.In(scope);

        public override Term Replace(Func<ConditionLookup, Term?> known) => known(Lookup) ?? this;

        public override string ToString() => Lookup.ToString();
    }

    /// <summary><c>!a</c></summary>
    public sealed record Not(Term Part) : Term
    {
        public override IEnumerable<Term> Parts => [Part];

        private protected override int Rank => NotRank;

        public override ConditionValue In(IConditionScope scope) => ConditionValue.Of(!Part.In(scope).IsTrue);

        public override Term Replace(Func<ConditionLookup, Term?> known) => new Not(Part.Replace(known));

        public override string ToString() => $"!{Part.Within(NotRank)}";
    }

    /// <summary><c>a == b</c> or <c>a != b</c></summary>
    public sealed record Compare(Term Left, Term Right, bool IsEqual) : Term
    {
        public override IEnumerable<Term> Parts => [Left, Right];

        private protected override int Rank => EqualRank;

        public override ConditionValue In(IConditionScope scope) => ConditionValue.Of(Left.In(scope).IsEqualTo(Right.In(scope)) == IsEqual);

        public override Term Replace(Func<ConditionLookup, Term?> known) => new Compare(Left.Replace(known), Right.Replace(known), IsEqual);

        public override string ToString() => $"{Left.Within(NotRank)} {(IsEqual ? "==" : "!=")} {Right.Within(NotRank)}";
    }

    /// <summary><c>a &amp;&amp; b &amp;&amp; …</c></summary>
    public sealed record All(ImmutableArray<Term> Of) : Term
    {
        public override IEnumerable<Term> Parts => Of;

        private protected override int Rank => AllRank;

        public override ConditionValue In(IConditionScope scope) => ConditionValue.Of(Of.All(part => part.In(scope).IsTrue));

        public override Term Replace(Func<ConditionLookup, Term?> known) => new All([.. Of.Select(part => part.Replace(known))]);

        public override string ToString() => string.Join(" && ", Of.Select(part => part.Within(EqualRank)));
    }

    /// <summary><c>a || b || …</c></summary>
    public sealed record Any(ImmutableArray<Term> Of) : Term
    {
        public override IEnumerable<Term> Parts => Of;

        private protected override int Rank => AnyRank;

        public override ConditionValue In(IConditionScope scope) => ConditionValue.Of(Of.Any(part => part.In(scope).IsTrue));

        public override Term Replace(Func<ConditionLookup, Term?> known) => new Any([.. Of.Select(part => part.Replace(known))]);

        public override string ToString() => string.Join(" || ", Of.Select(part => part.Within(AllRank)));
    }

    /// <summary>A function with its arguments: none for a status, two for a test of text.</summary>
    public sealed record Call(ConditionFunction Function, ImmutableArray<Term> Arguments) : Term
    {
        public override IEnumerable<Term> Parts => Arguments;

        public override ConditionValue In(IConditionScope scope) => ConditionValue.Of(Function switch
        {
            ConditionFunction.Success => scope.Success(),
            ConditionFunction.Failure => scope.Failure(),
            ConditionFunction.Always => true,
            ConditionFunction.Cancelled => scope.Cancelled(),
            ConditionFunction.Contains => Arguments[0].In(scope).Contains(Arguments[1].In(scope)),
            ConditionFunction.StartsWith => Arguments[0].In(scope).Text.StartsWith(Arguments[1].In(scope).Text, StringComparison.Ordinal),
            ConditionFunction.EndsWith => Arguments[0].In(scope).Text.EndsWith(Arguments[1].In(scope).Text, StringComparison.Ordinal),
        });

        public override Term Replace(Func<ConditionLookup, Term?> known) => new Call(Function, [.. Arguments.Select(part => part.Replace(known))]);

        public override string ToString() => $"{ConditionFunctions.NameOf(Function)}({string.Join(", ", Arguments)})";
    }
}
