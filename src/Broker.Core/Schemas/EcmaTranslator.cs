using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Broker.Core.Schemas;

/// <summary>
/// Rewrites an ECMA-262 pattern for .NET, where <c>$</c>, <c>.</c>, <c>\d</c>, <c>\w</c>, <c>\s</c> and classes mean something else and text is
/// UTF-16 units. Groups lose their captures, since only the verdict counts; references to captures are refused.
/// </summary>
internal sealed partial class EcmaTranslator(string source, int longest)
{
    private const string WordBoundary = "(?:(?<=[A-Za-z0-9_])(?![A-Za-z0-9_])|(?<![A-Za-z0-9_])(?=[A-Za-z0-9_]))";
    private const string NoWordBoundary = "(?:(?<=[A-Za-z0-9_])(?=[A-Za-z0-9_])|(?<![A-Za-z0-9_])(?![A-Za-z0-9_]))";

    private readonly StringBuilder output = new();
    private int at;
    private int open;

    /// <summary>True once something was met that the linear engine cannot do.</summary>
    public bool LooksAround { get; private set; }

    public bool TryTranslate(out string translated, out string problem)
    {
        translated = problem = "";
        try
        {
            while (at < source.Length)
            {
                Next();
                if (output.Length > longest) throw new FormatException("the patterns of this schema are too long together, sets written out");
            }

            if (open > 0) throw new FormatException("a group is not closed");
            translated = output.ToString();
            return true;
        }
        catch (FormatException e)
        {
            problem = e.Message;
            return false;
        }
    }

    private void Next()
    {
        switch (source[at])
        {
            case '\\':
                Escape();
                break;
            case '[':
                Class();
                break;
            case '(':
                Group();
                break;
            case ')':
                if (--open < 0) throw new FormatException("a group is closed that was not opened");
                Copy(1);
                break;
            case '.':
                at++;
                var dot = new CodePointSet { Negated = true };
                foreach (var end in "\n\r\u2028\u2029") dot.Add(end, end);
                output.Append(dot);
                break;
            case '$':
                at++;
                output.Append("\\z");
                break;
            case '{' when Quantifier().Match(source, at) is { Success: true } quantifier:
                Copy(quantifier.Length);
                break;
            case '^' or '|' or '*' or '+' or '?':
                Copy(1);
                break;
            default:
                Literal(CodePoint());
                break;
        }
    }

    private void Copy(int length)
    {
        output.Append(source, at, length);
        at += length;
    }

    private void Group()
    {
        var opening = GroupOpening().Match(source, at);
        if (!opening.Success) throw new FormatException($"the group at {at} is of a kind that is not supported");
        at += opening.Length;
        open++;
        var looks = opening.Value is "(?=" or "(?!" or "(?<=" or "(?<!";
        LooksAround |= looks;
        output.Append(looks ? opening.Value : "(?:");
    }

    private void Escape()
    {
        var kind = Following();
        if (kind is 'b' or 'B')
        {
            at += 2;
            LooksAround = true;
            output.Append(kind == 'b' ? WordBoundary : NoWordBoundary);
            return;
        }

        var set = new CodePointSet();
        if (TrySetEscape(set)) output.Append(set);
        else Literal(CharacterEscape());
    }

    private void Class()
    {
        at++;
        var set = new CodePointSet();
        if (at < source.Length && source[at] == '^')
        {
            at++;
            set.Negated = true;
        }

        while (at < source.Length && source[at] != ']')
        {
            if (source[at] == '\\' && TrySetEscape(set))
            {
                if (at + 1 < source.Length && source[at] == '-' && source[at + 1] != ']') throw new FormatException("a range may not start at a class");
                continue;
            }

            var from = ClassMember();
            var to = from;
            if (at + 1 < source.Length && source[at] == '-' && source[at + 1] != ']')
            {
                at++;
                to = ClassMember();
            }

            if (to < from) throw new FormatException("a range is out of order");
            set.Add(from, to);
        }

        if (at >= source.Length) throw new FormatException("a class is not closed");
        at++;
        output.Append(set);
    }

    private int ClassMember()
    {
        if (source[at] != '\\') return CodePoint();
        if (Following() != 'b') return CharacterEscape();
        at += 2;
        return '\b';
    }

    private bool TrySetEscape(CodePointSet set)
    {
        var kind = Following();
        if (kind is 'p' or 'P')
        {
            var property = Property().Match(source, at);
            if (!property.Success || !set.TryAddCategory(property.Groups["name"].Value, kind == 'P'))
                throw new FormatException($"the Unicode property at {at} is not supported");
            at += property.Length;
            return true;
        }

        if (!set.TryAddShorthand(kind)) return false;
        at += 2;
        return true;
    }

    private int CharacterEscape()
    {
        var kind = Following();
        var hex = HexEscape().Match(source, at);
        if (hex.Success)
        {
            at += hex.Length;
            return hex.Groups["high"].Success
                ? char.ConvertToUtf32((char)Hex(hex.Groups["high"]), (char)Hex(hex.Groups["low"]))
                : Scalar(Hex(hex.Groups["value"]));
        }

        if (kind == 'c' && at + 2 < source.Length && char.IsAsciiLetter(source[at + 2]))
        {
            at += 3;
            return source[at - 1] % 32;
        }

        int? control = kind switch { 't' => '\t', 'n' => '\n', 'v' => '\v', 'f' => '\f', 'r' => '\r', '0' => '\0', _ => null };
        // A digit after \0 or elsewhere would be an octal escape or a reference to a capture.
        var refused = control is null ? char.IsAsciiLetterOrDigit(kind) : kind == '0' && at + 2 < source.Length && char.IsAsciiDigit(source[at + 2]);
        if (refused) throw new FormatException($"the escape \\{kind} is not supported");
        at++;
        if (control is null) return CodePoint();
        at++;
        return control.Value;
    }

    private char Following() => at + 1 < source.Length ? source[at + 1] : throw new FormatException("it ends in a backslash");

    private int CodePoint()
    {
        var pair = char.IsHighSurrogate(source[at]) && at + 1 < source.Length && char.IsLowSurrogate(source[at + 1]);
        var point = pair ? char.ConvertToUtf32(source[at], source[at + 1]) : Scalar(source[at]);
        at += pair ? 2 : 1;
        return point;
    }

    private void Literal(int point) => output.Append(point < char.MaxValue + 1
        ? CodePointSet.Unit(point)
        : $"(?:{CodePointSet.Unit(char.ConvertFromUtf32(point)[0])}{CodePointSet.Unit(char.ConvertFromUtf32(point)[1])})");

    private static int Hex(Group digits) =>
        int.TryParse(digits.ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : int.MaxValue;

    private static int Scalar(int point) => Rune.IsValid(point) ? point : throw new FormatException("half a surrogate pair matches nothing");

    [GeneratedRegex(@"\G\{[0-9]+(?:,[0-9]*)?\}", RegexOptions.CultureInvariant)]
    private static partial Regex Quantifier();

    [GeneratedRegex(@"\G\((?:\?(?:[:=!]|<[=!]|<[A-Za-z_$][A-Za-z0-9_$]*>)|(?!\?))", RegexOptions.CultureInvariant)]
    private static partial Regex GroupOpening();

    [GeneratedRegex(@"\G\\[pP]\{(?:(?:gc|General_Category)=)?(?<name>[A-Za-z_]+)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Property();

    [GeneratedRegex(
        @"\G\\(?:u(?<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?<low>[dD][c-fC-F][0-9a-fA-F]{2})|u(?<value>[0-9a-fA-F]{4})|u\{(?<value>[0-9a-fA-F]+)\}|x(?<value>[0-9a-fA-F]{2}))",
        RegexOptions.CultureInvariant)]
    private static partial Regex HexEscape();
}
