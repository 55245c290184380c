using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Broker.Core.Conditions;

/// <summary>
/// Parser of expressions by recursive descent. Length and depth are bounded, and chains of one operator are one node, so that no text
/// exhausts the stack. The first fault ends it.
/// </summary>
internal sealed class ExpressionParser
{
    internal const int MaxLength = 4096;
    internal const int MaxDepth = 50;

    private readonly string text;
    private int at;
    private int end;
    private int depth;
    private string? problem;
    private int column;

    private ExpressionParser(string text) => (this.text, end) = (text, text.Length);

    public static ExpressionReading Parse(string text)
    {
        if (text.Length > MaxLength) return new(null, $"is longer than {MaxLength} characters", 1);
        var parser = new ExpressionParser(text);
        return parser.Whole() is { } root ? new(new Expression(root), null, 0) : new(null, parser.problem, parser.column);
    }

    /// <summary>Whether a name can follow a point; any other stands in <c>['…']</c>.</summary>
    public static bool IsWord(string name) => name.Length > 0 && BeginsWord(name[0]) && name.All(ContinuesWord);

    private Term? Whole()
    {
        while (end > 0 && IsBlank(text[end - 1])) end--;
        Blanks();
        if (string.CompareOrdinal(text, at, "${{", 0, 3) == 0 && end - at >= 5 && string.CompareOrdinal(text, end - 2, "}}", 0, 2) == 0)
        {
            at += 3;
            end -= 2;
        }

        if (Or() is not { } root) return null;
        Blanks();
        return at == end ? root : Fail(at, Unexpected());
    }

    private Term? Or() => Chain("||", And, parts => new Term.Any(parts));

    private Term? And() => Chain("&&", Comparison, parts => new Term.All(parts));

    private Term? Chain(string op, Func<Term?> operand, Func<ImmutableArray<Term>, Term> join)
    {
        var parts = ImmutableArray.CreateBuilder<Term>();
        do
        {
            if (operand() is not { } part) return null;
            parts.Add(part);
        }
        while (Take(op));
        return parts.Count == 1 ? parts[0] : join(parts.ToImmutable());
    }

    private Term? Comparison()
    {
        var start = Blanks();
        var left = Unary();
        if (left is null || Operator() is not { } isEqual) return left;
        if (!IsValue(left, start)) return null;
        start = Blanks();
        if (Unary() is not { } right || !IsValue(right, start)) return null;
        start = Blanks();
        return Operator() is null ? new Term.Compare(left, right, isEqual) : Fail(start, "comparisons do not chain; write parentheses");
    }

    private bool? Operator() => Take("==") ? true : Take("!=") ? false : null;

    // In GitHub's language && and || give one of their values. A text that relies on it must not mean something else here.
    private bool IsValue(Term term, int start)
    {
        if (term is not (Term.All or Term.Any)) return true;
        Fail(start, "&& and || give no value to compare or search in; write a condition of each value");
        return false;
    }

    private Term? Unary()
    {
        Blanks();
        if (Next != '!' || Peek(1) == '=') return Primary();
        at++;
        return Nested(Unary) is { } part ? new Term.Not(part) : null;
    }

    private Term? Nested(Func<Term?> inner)
    {
        if (++depth > MaxDepth) return Fail(at, $"nested deeper than {MaxDepth} levels");
        var term = inner();
        depth--;
        return term;
    }

    private Term? Primary()
    {
        switch (Next)
        {
            case '(':
                at++;
                return Nested(Or) is { } inner && Expect(')') ? inner : null;
            case '\'':
                return Quoted() is { } quoted ? new Term.Constant(ConditionValue.Of(quoted)) : null;
            case '"':
                return Fail(at, "text stands in single quotes: 'text'");
            case '-' or (>= '0' and <= '9'):
                return Number();
            case var letter when BeginsWord(letter):
                return Word();
            case '\0' when at == end:
                return Fail(at, "a value is missing: write a name such as inputs.NAME, 'text', a number, true or false");
            default:
                return Fail(at, Unexpected());
        }
    }

    private string? Quoted()
    {
        var start = at++;
        var value = new StringBuilder();
        while (at < end)
        {
            if (text[at] != '\'')
            {
                value.Append(text[at++]);
            }
            else if (Peek(1) == '\'')
            {
                value.Append('\'');
                at += 2;
            }
            else
            {
                at++;
                return value.ToString();
            }
        }

        Fail(start, "the text that begins here has no closing quote");
        return null;
    }

    private Term? Number()
    {
        var start = at;
        if (Next == '-') at++;
        var whole = at;
        var isNumber = Digits() && (text[whole] != '0' || at == whole + 1);
        if (isNumber && Next == '.')
        {
            at++;
            isNumber = Digits();
        }

        if (isNumber && Next is 'e' or 'E')
        {
            at++;
            if (Next is '+' or '-') at++;
            isNumber = Digits();
        }

        return isNumber && !ContinuesWord(Next) && Next != '.'
            ? new Term.Constant(new ConditionValue(ValueKind.Number, text[start..at]))
            : Fail(start, "not a number; text stands in single quotes: 'text'");
    }

    private bool Digits()
    {
        var start = at;
        while (char.IsAsciiDigit(Next)) at++;
        return at > start;
    }

    private Term? Word()
    {
        var start = at;
        var word = Name();
        var afterWord = at;
        if (Blanks() < end && Next == '(') return Call(word, start);
        at = afterWord;
        switch (word)
        {
            case "true": return new Term.Constant(ConditionValue.True);
            case "false": return new Term.Constant(ConditionValue.False);
            case "null": return new Term.Constant(ConditionValue.Null);
        }

        var names = new List<string>();
        while (Next is '.' or '[')
        {
            if (Segment() is not { } name) return null;
            names.Add(name);
        }

        return ConditionLookup.Of(word, names) is { } lookup ? new Term.Read(lookup) : Fail(start, ConditionLookup.HelpFor(word, names));
    }

    private string? Segment()
    {
        if (Next == '.')
        {
            at++;
            if (BeginsWord(Next)) return Name();
            Fail(at, "a name is missing after the point; a name with other characters stands in ['…']");
            return null;
        }

        at++;
        Blanks();
        if (Next == '\'') return Quoted() is { } name && Expect(']') ? name : null;
        Fail(at, "write a name in single quotes: ['name']");
        return null;
    }

    private Term? Call(string name, int start)
    {
        var known = Array.Find(ConditionFunctions.All, f => f.Name == name);
        if (known.Name is null) return Fail(start, $"there is no function '{name}'; there are {string.Join(", ", ConditionFunctions.All.Select(f => f.Name))}");
        at++;
        var arguments = ImmutableArray.CreateBuilder<Term>();
        for (Blanks(); Next != ')' || arguments.Count > 0; Blanks())
        {
            var begin = Blanks();
            if (Nested(Or) is not { } argument || !IsValue(argument, begin)) return null;
            arguments.Add(argument);
            if (!Take(",")) break;
        }

        if (!Expect(')')) return null;
        return arguments.Count == known.Arguments
            ? new Term.Call(known.Function, arguments.ToImmutable())
            : Fail(start, known.Arguments == 0 ? $"{name}() takes no arguments" : $"{name} takes {known.Arguments} arguments, not {arguments.Count}");
    }

    private string Name()
    {
        var start = at;
        while (ContinuesWord(Next)) at++;
        return text[start..at];
    }

    private bool Take(string op)
    {
        Blanks();
        if (at + op.Length > end || string.CompareOrdinal(text, at, op, 0, op.Length) != 0) return false;
        at += op.Length;
        return true;
    }

    private bool Expect(char close)
    {
        Blanks();
        if (Next == close)
        {
            at++;
            return true;
        }

        Fail(at, at == end ? $"'{close}' is missing" : Unexpected());
        return false;
    }

    private int Blanks()
    {
        while (at < end && IsBlank(text[at])) at++;
        return at;
    }

    private Term? Fail(int place, string message)
    {
        (problem, column) = (message, place + 1);
        return null;
    }

    private string Unexpected() => Next switch
    {
        '<' or '>' or '=' or '&' or '|' => $"'{Next}' is no operator here; there are ==, !=, !, && and ||",
        > ' ' and <= '~' => $"'{Next}' does not belong here",
        _ => string.Create(CultureInfo.InvariantCulture, $"the character U+{(int)Next:X4} does not belong here"),
    };

    private char Next => Peek(0);

    private char Peek(int ahead) => at + ahead < end ? text[at + ahead] : '\0';

    private static bool IsBlank(char letter) => letter is ' ' or '\t' or '\r' or '\n';

    private static bool BeginsWord(char letter) => char.IsAsciiLetter(letter) || letter == '_';

    private static bool ContinuesWord(char letter) => BeginsWord(letter) || char.IsAsciiDigit(letter) || letter == '-';
}
