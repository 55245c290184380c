namespace Broker.Operators.Where;

/// <summary>
/// Expression that chooses runs, such as <c>workflow=ci status=failed tag.branch=main since=1h error~timeout</c>. The API, the client and the
/// command line read the same language.
/// </summary>
public sealed class WhereExpression
{
    /// <summary>Longest expression, in characters.</summary>
    public const int LongestText = 4000;

    /// <summary>Most terms of an expression.</summary>
    public const int MostTerms = 50;

    /// <summary>Most values of a term.</summary>
    public const int MostValues = 100;

    private WhereExpression(IReadOnlyList<WhereTerm> terms) => Terms = terms;

    /// <summary>Expression that every run fits.</summary>
    public static WhereExpression All { get; } = new([]);

    /// <summary>Terms that a run fits, all of them.</summary>
    public IReadOnlyList<WhereTerm> Terms { get; }

    /// <summary>Reads an expression; never throws.</summary>
    /// <param name="text">The expression; empty text is fit by every run.</param>
    /// <param name="expression">The expression; <see cref="All"/> after a fault.</param>
    /// <param name="error">The first fault; null when there is none.</param>
    public static bool TryParse(string? text, out WhereExpression expression, out WhereError? error)
    {
        expression = All;
        if (text is { Length: > LongestText })
        {
            error = new(LongestText + 1, $"expected at most {LongestText} characters");
            return false;
        }

        var terms = new WhereReader(text ?? "").Read(out error);
        if (error is not null) return false;
        expression = new(terms);
        return true;
    }

    /// <summary>Both expressions together.</summary>
    public WhereExpression And(WhereExpression other) => new([.. Terms, .. other.Terms]);

    /// <summary>The expression with a further term.</summary>
    public WhereExpression And(string field, WhereOperator comparison, params IEnumerable<WhereValue> values) => new([.. Terms, new(field, null, comparison, [.. values])]);

    /// <summary>The expression in its plain form; read again it is the same expression.</summary>
    public override string ToString() => string.Join(' ', Terms);
}
