using System.Text;

namespace Broker.Operators.Where;

/// <summary>Reader of one expression, from left to right. It stops at the first fault.</summary>
internal sealed class WhereReader(string text)
{
    // The one name of a field with a point in it.
    private const string Group = ".group";

    private int at;
    private WhereError? fault;

    public List<WhereTerm> Read(out WhereError? error)
    {
        var terms = new List<WhereTerm>();
        SkipSpace();
        while (fault is null && at < text.Length)
        {
            if (terms.Count == WhereExpression.MostTerms) Fail(at, $"expected at most {WhereExpression.MostTerms} conditions");
            else if (Term() is { } term) terms.Add(term);
            if (fault is null && at < text.Length && !char.IsWhiteSpace(text[at])) Fail(at, "expected a space between two conditions");
            SkipSpace();
        }

        error = fault;
        return terms;
    }

    private WhereTerm? Term()
    {
        var start = at;
        while (at < text.Length && char.IsAsciiLetter(text[at])) at++;
        if (text.AsSpan(at).StartsWith(Group, StringComparison.OrdinalIgnoreCase) && text.AsSpan(start, at - start).Equals("error", StringComparison.OrdinalIgnoreCase)) at += Group.Length;
        var name = text.AsSpan(start, at - start);
        if (WhereField.Find(name) is not { } field) return Fail(start, $"expected a field: {string.Join(", ", WhereField.All.Select(known => known.HasKey ? $"{known.Name}.KEY" : known.Name))}");
        var key = field.HasKey ? Key() : null;
        if (fault is not null || Operator(field) is not { } comparison) return null;
        var values = Values(field, comparison);
        return fault is null ? new(field.Name, key, comparison, values) : null;
    }

    private string? Key()
    {
        if (at == text.Length || text[at] != '.')
        {
            Fail(at, "expected a point and the name of the tag: tag.branch");
            return null;
        }

        at++;
        if (at < text.Length && text[at] == '"') return NotEmpty(at, Quoted());
        var start = at;
        while (at < text.Length && WhereTerm.IsPlainKeyCharacter(text[at])) at++;
        return NotEmpty(start, text[start..at]);
    }

    private string? NotEmpty(int place, string? key)
    {
        if (fault is null && key is { Length: 0 }) Fail(place, "expected the name of a tag");
        return key;
    }

    private WhereOperator? Operator(WhereField field)
    {
        var start = at;
        WhereOperator? found = text.AsSpan(at) switch
        {
            ['!', '=', ..] => WhereOperator.NotEqual,
            ['=', ..] => WhereOperator.Equal,
            ['~', ..] => WhereOperator.Contains,
            ['<', ..] => WhereOperator.Less,
            ['>', ..] => WhereOperator.Greater,
            _ => null,
        };
        if (found is { } known && field.Operators.Contains(known))
        {
            at += known is WhereOperator.NotEqual ? 2 : 1;
            return known;
        }

        Fail(start, $"expected {string.Join(" or ", field.Operators.Select(WhereTerm.SignOf))} after {field.Name}");
        return null;
    }

    private List<WhereValue> Values(WhereField field, WhereOperator comparison)
    {
        var values = new List<WhereValue>();
        while (fault is null)
        {
            var start = at;
            if (values.Count == WhereExpression.MostValues) Fail(at, $"expected at most {WhereExpression.MostValues} values");
            else if (Value() is { } value) Add(values, field, value, start);
            if (fault is not null || at == text.Length || text[at] != ',') break;
            if (!field.TakesList(comparison)) Fail(at, $"expected one value after {field.Name}{WhereTerm.SignOf(comparison)}; put a value with a comma into quotes");
            at++;
        }

        return values;
    }

    private void Add(List<WhereValue> values, WhereField field, WhereValue value, int start)
    {
        if (field.Refusal(value) is { } refusal) Fail(start, refusal);
        else values.Add(value);
    }

    private WhereValue? Value()
    {
        if (at < text.Length && text[at] == '"') return Quoted() is { } quoted ? new(quoted, IsQuoted: true) : null;
        var start = at;
        while (at < text.Length && !char.IsWhiteSpace(text[at]) && text[at] is not (',' or '"')) at++;
        if (at < text.Length && text[at] == '"') Fail(at, "expected no quote within a value; put the whole value into quotes");
        return new(text[start..at], IsQuoted: false);
    }

    private string? Quoted()
    {
        var start = at++;
        var value = new StringBuilder();
        while (at < text.Length)
        {
            var c = text[at++];
            if (c == '"') return value.ToString();
            if (c == '\\')
            {
                if (at == text.Length || text[at] is not ('"' or '\\'))
                {
                    Fail(at, "expected a quote or a backslash after the backslash");
                    return null;
                }

                c = text[at++];
            }

            value.Append(c);
        }

        Fail(start, "expected a closing quote");
        return null;
    }

    private void SkipSpace()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
    }

    private WhereTerm? Fail(int place, string message)
    {
        fault ??= new(place + 1, message);
        return null;
    }
}
