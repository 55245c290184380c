using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Broker.Core.Schemas;

/// <summary>
/// A set of code points written as a .NET pattern over UTF-16: a class for the basic plane, alternatives of surrogate pairs for the rest.
/// Half a pair is in no set.
/// </summary>
internal sealed class CodePointSet
{
    private const int FirstAstral = 0x10000;
    private const int Last = 0x10FFFF;
    private const string Halves = "-[\\uD800-\\uDFFF]";

    private static readonly (int From, int To)[] Digits = [('0', '9')];
    private static readonly (int From, int To)[] Word = [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
    private static readonly (int From, int To)[] Space =
    [
        ('\t', '\r'), (' ', ' '), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F),
        (0x3000, 0x3000), (0xFEFF, 0xFEFF),
    ];

    // In the order of UnicodeCategory.
    private static readonly string[] Codes =
        "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Zs Zl Zp Cc Cf Cs Co Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Cn".Split(' ');

    private static readonly string[] LongNames =
        ("Uppercase_Letter Lowercase_Letter Titlecase_Letter Modifier_Letter Other_Letter Nonspacing_Mark Spacing_Mark Enclosing_Mark Decimal_Number "
         + "Letter_Number Other_Number Space_Separator Line_Separator Paragraph_Separator Control Format Surrogate Private_Use Connector_Punctuation "
         + "Dash_Punctuation Open_Punctuation Close_Punctuation Initial_Punctuation Final_Punctuation Other_Punctuation Math_Symbol Currency_Symbol "
         + "Modifier_Symbol Other_Symbol Unassigned").Split(' ');

    private static readonly Dictionary<string, string> Majors =
        new[] { "Letter L", "Mark M", "Number N", "Punctuation P", "Symbol S", "Separator Z", "Other C" }
            .Select(pair => pair.Split(' '))
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

    // .NET's \p sees single UTF-16 units, so the million code points beyond the basic plane are gone through, once for each category.
    private static readonly ConcurrentDictionary<string, List<(int From, int To)>> Beyond = new(StringComparer.Ordinal);

    private readonly StringBuilder basic = new();
    private readonly List<(int From, int To)> astral = [];
    private bool mayHoldHalves;

    public bool Negated { get; set; }

    public static string Unit(int unit) => unit < 0x80 && char.IsAsciiLetterOrDigit((char)unit)
        ? ((char)unit).ToString()
        : string.Create(CultureInfo.InvariantCulture, $"\\u{unit:X4}");

    public void Add(int from, int to)
    {
        mayHoldHalves |= from <= 0xDFFF && to >= 0xD800;
        if (from < FirstAstral) basic.Append(Range(from, Math.Min(to, FirstAstral - 1)));
        if (to >= FirstAstral) astral.Add((Math.Max(from, FirstAstral), to));
    }

    /// <summary>d, w, s and their opposites.</summary>
    public bool TryAddShorthand(char kind)
    {
        var ranges = char.ToLowerInvariant(kind) switch { 'd' => Digits, 'w' => Word, 's' => Space, _ => null };
        if (ranges is null) return false;
        foreach (var (from, to) in char.IsUpper(kind) ? Complement(ranges, 0) : ranges) Add(from, to);
        return true;
    }

    /// <summary>A general category by either name; scripts and other properties are not known to .NET.</summary>
    public bool TryAddCategory(string name, bool negated)
    {
        var code = Array.IndexOf(LongNames, name) is >= 0 and var place ? Codes[place] : Majors.GetValueOrDefault(name, name);
        if (!Array.Exists(Codes, known => known == code || (code.Length == 1 && known[0] == code[0]))) return false;

        mayHoldHalves |= negated || code[0] == 'C';
        basic.Append(negated ? "\\P{" : "\\p{").Append(code).Append('}');
        var beyond = Beyond.GetOrAdd(code, ScanBeyond);
        astral.AddRange(negated ? Complement(beyond, FirstAstral) : beyond);
        return true;
    }

    public override string ToString()
    {
        // Subtraction takes the halves out of whatever stands before it, a negated class included.
        var units = (basic.Length, Negated) switch
        {
            (0, false) => null,
            (0, true) => $"[\\u0000-\\uFFFF{Halves}]",
            (_, true) => $"[^{basic}{Halves}]",
            _ => $"[{basic}{(mayHoldHalves ? Halves : "")}]",
        };
        var pairs = Pairs(Negated ? Complement(astral, FirstAstral) : astral);
        string[] alternatives = units is null ? [.. pairs] : [units, .. pairs];
        return alternatives switch
        {
            [] => "[^\\u0000-\\uFFFF]",
            [var one] when one == units => one,
            _ => $"(?:{string.Join('|', alternatives)})",
        };
    }

    private static IEnumerable<(int From, int To)> Complement(IEnumerable<(int From, int To)> ranges, int first)
    {
        var next = first;
        foreach (var (from, to) in ranges.OrderBy(range => range.From))
        {
            if (from > next) yield return (next, from - 1);
            next = Math.Max(next, to + 1);
        }

        if (next <= Last) yield return (next, Last);
    }

    private static List<(int From, int To)> ScanBeyond(string code)
    {
        var ranges = new List<(int From, int To)>();
        for (var point = FirstAstral; point <= Last; point++)
        {
            if (!Codes[(int)CharUnicodeInfo.GetUnicodeCategory(point)].StartsWith(code, StringComparison.Ordinal)) continue;
            if (ranges.Count > 0 && ranges[^1].To == point - 1) ranges[^1] = (ranges[^1].From, point);
            else ranges.Add((point, point));
        }

        return ranges;
    }

    // One alternative for each set of second halves: a category has hundreds of ranges, and the time to build an automaton grows with them.
    private static IEnumerable<string> Pairs(IEnumerable<(int From, int To)> ranges)
    {
        var whole = new List<string>();
        var seconds = new SortedDictionary<int, StringBuilder>();
        foreach (var (start, end) in ranges)
        {
            for (int from = start, to; from <= end; from = to + 1)
            {
                var pair = char.ConvertFromUtf32(from);
                var blocks = pair[1] == 0xDC00 ? (end + 1 - from) / 0x400 : 0;
                to = blocks > 0 ? from + (blocks * 0x400) - 1 : Math.Min(end, from | 0x3FF);
                if (blocks > 0)
                {
                    whole.Add(Range(pair[0], pair[0] + blocks - 1));
                    continue;
                }

                if (!seconds.TryGetValue(pair[0], out var second)) seconds.Add(pair[0], second = new StringBuilder());
                second.Append(Range(pair[1], char.ConvertFromUtf32(to)[1]));
            }
        }

        var pairs = seconds.GroupBy(pair => pair.Value.ToString(), pair => pair.Key, StringComparer.Ordinal)
            .Select(group => $"[{string.Concat(group.Select(Unit))}][{group.Key}]");
        return whole.Count == 0 ? pairs : pairs.Prepend($"[{string.Concat(whole)}][\\uDC00-\\uDFFF]");
    }

    private static string Range(int from, int to) => from == to ? Unit(from) : $"{Unit(from)}-{Unit(to)}";
}
