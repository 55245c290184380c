using System.Text;

namespace Broker.Operators.Where;

/// <summary>Value of a term.</summary>
/// <param name="Text">The text without quotes and escapes.</param>
/// <param name="IsQuoted">It stood in quotes: a star at its end is a star.</param>
public readonly record struct WhereValue(string Text, bool IsQuoted)
{
    /// <summary>The text before the star of <c>abc*</c>; null when the value is no prefix.</summary>
    public string? Prefix => !IsQuoted && Text.EndsWith('*') ? Text[..^1] : null;

    /// <summary>The value as it is written in an expression.</summary>
    public override string ToString() => IsQuoted || Text.Length == 0 || Text.AsSpan().ContainsAny(' ', '"', ',') || Text.Any(char.IsWhiteSpace) ? WhereTerm.Quoted(Text) : Text;
}

/// <summary>One condition of an expression. Terms are joined by "and".</summary>
/// <param name="Field">Name of a field, in lower case.</param>
/// <param name="Key">Name of the tag; null for other fields.</param>
/// <param name="Operator">The comparison.</param>
/// <param name="Values">One value; several where the field takes a list.</param>
public sealed record WhereTerm(string Field, string? Key, WhereOperator Operator, IReadOnlyList<WhereValue> Values)
{
    /// <summary>The sign of an operator.</summary>
    public static string SignOf(WhereOperator comparison) => comparison switch
    {
        WhereOperator.Equal => "=",
        WhereOperator.NotEqual => "!=",
        WhereOperator.Contains => "~",
        WhereOperator.Less => "<",
        WhereOperator.Greater => ">",
    };

    /// <summary>The term as it is written in an expression.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Field);
        if (Key is not null) text.Append('.').Append(IsPlainKey(Key) ? Key : Quoted(Key));
        return text.Append(SignOf(Operator)).AppendJoin(',', Values).ToString();
    }

    internal static string Quoted(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    internal static bool IsPlainKey(string key) => key.Length > 0 && key.All(IsPlainKeyCharacter);

    internal static bool IsPlainKeyCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/';
}
