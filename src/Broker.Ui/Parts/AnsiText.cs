using System.Globalization;
using System.Text;

namespace Broker.Ui.Parts;

/// <summary>A piece of a log line with the classes of its colour and weight.</summary>
internal readonly record struct AnsiPart(string? Class, string Text);

/// <summary>Reads the colours of a terminal: the sixteen of SGR, bold and underline. Every other control sequence is dropped.</summary>
internal static class AnsiText
{
    private const char Escape = '\u001b';

    public static IEnumerable<AnsiPart> Of(string line)
    {
        // A carriage return writes over the line: its last text is what a terminal shows.
        var returned = line.TrimEnd('\r').LastIndexOf('\r');
        if (returned >= 0) line = line[(returned + 1)..];
        if (!line.Contains(Escape)) return [new(null, Visible(line))];
        return Parts(line);
    }

    private static List<AnsiPart> Parts(string line)
    {
        var parts = new List<AnsiPart>();
        var style = default(Style);
        for (var i = 0; i < line.Length;)
        {
            var escape = line.IndexOf(Escape, i);
            if (escape != i)
            {
                var end = escape < 0 ? line.Length : escape;
                parts.Add(new(style.Class, Visible(line[i..end])));
                i = end;
                continue;
            }

            i = EndOfSequence(line, i + 1, out var codes);
            foreach (var code in codes) style = style.With(code);
        }

        return parts;
    }

    // CSI parameters final; other sequences have no parameters here.
    private static int EndOfSequence(string line, int from, out IReadOnlyList<int> codes)
    {
        codes = [];
        if (from >= line.Length || line[from] is not '[') return Math.Min(from + 1, line.Length);
        var end = from + 1;
        while (end < line.Length && line[end] is < '@' or > '~') end++;
        if (end < line.Length && line[end] is 'm')
            codes = [.. line[(from + 1)..end].Split(';').Select(code => int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)];
        return Math.Min(end + 1, line.Length);
    }

    private static string Visible(string text)
    {
        if (!text.Any(c => char.IsControl(c) && c is not '\t')) return text;
        var visible = new StringBuilder();
        foreach (var c in text)
        {
            if (!char.IsControl(c) || c is '\t') visible.Append(c);
        }

        return visible.ToString();
    }

    private readonly record struct Style(int Colour, bool Bold, bool Underlined)
    {
        public string? Class => this == default ? null : string.Join(' ', Names());

        public Style With(int code) => code switch
        {
            0 => default,
            1 => this with { Bold = true },
            22 => this with { Bold = false },
            4 => this with { Underlined = true },
            24 => this with { Underlined = false },
            39 => this with { Colour = 0 },
            (>= 30 and <= 37) or (>= 90 and <= 97) => this with { Colour = code },
            _ => this,
        };

        private IEnumerable<string> Names()
        {
            if (Colour > 0) yield return string.Create(CultureInfo.InvariantCulture, $"ansi-{Colour}");
            if (Bold) yield return "bold";
            if (Underlined) yield return "underlined";
        }
    }
}
