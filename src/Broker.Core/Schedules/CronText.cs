using System.Globalization;

namespace Broker.Core.Schedules;

/// <summary>
/// Cron expressions of five fields: minute, hour, day of the month, month, day of the week. Checked here, since a definition is read without the
/// library that computes instants. <c>H</c> is a number that the schedule's name chooses.
/// </summary>
public static class CronText
{
    public const int Longest = 200;

    private const string Expected = "expected five fields (minute, hour, day of the month, month, day of the week) such as 0 3 * * 1-5, or @hourly, @daily, @weekly, @monthly, @yearly";

    private static readonly Dictionary<string, string> Words = new(StringComparer.OrdinalIgnoreCase)
    {
        ["@hourly"] = "0 * * * *",
        ["@daily"] = "0 0 * * *",
        ["@midnight"] = "0 0 * * *",
        ["@weekly"] = "0 0 * * 0",
        ["@monthly"] = "0 0 1 * *",
        ["@yearly"] = "0 0 1 1 *",
        ["@annually"] = "0 0 1 1 *",
    };

    private static readonly Field[] Fields =
    [
        new("minute", 0, 59, 59, []),
        new("hour", 0, 23, 23, []),
        new("day of the month", 1, 31, 28, []),
        new("month", 1, 12, 12, ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]),
        new("day of the week", 0, 7, 6, ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
    ];

    /// <summary>The fault of an expression; null when there is none.</summary>
    public static string? Problem(string text) => Write(text, "", out var problem) is null ? problem : null;

    /// <summary>The expression with numbers in place of each <c>H</c>.</summary>
    public static string Of(string text, string seed) => Write(text, seed, out var problem) ?? throw new FormatException(problem);

    private static string? Write(string text, string seed, out string? problem)
    {
        problem = null;
        if (text.Length > Longest)
        {
            problem = $"is longer than {Longest} characters";
            return null;
        }

        if (Words.TryGetValue(text.Trim(), out var word)) return word;
        var parts = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != Fields.Length)
        {
            problem = Expected;
            return null;
        }

        for (var i = 0; i < parts.Length; i++)
        {
            var items = parts[i].Split(',');
            for (var j = 0; j < items.Length; j++)
            {
                if (Fields[i].Write(items[j], SeededNumber.Of(seed, i)) is { } written)
                {
                    items[j] = written;
                    continue;
                }

                problem = $"{Fields[i].Name}: '{items[j]}' is none of *, a number from {Fields[i].Least} to {Fields[i].Most}, a range such as 1-5, with a step such as */5, and H";
                return null;
            }

            parts[i] = string.Join(',', items);
        }

        return string.Join(' ', parts);
    }

    /// <param name="Name">For messages.</param>
    /// <param name="Least">Smallest number.</param>
    /// <param name="Most">Largest number.</param>
    /// <param name="MostSeeded">Largest number that H may be: such as one that every month has.</param>
    /// <param name="Names">Words for numbers, from the smallest on.</param>
    private sealed record Field(string Name, int Least, int Most, int MostSeeded, string[] Names)
    {
        /// <summary>An item of a list; null when it is faulty.</summary>
        public string? Write(string item, ulong seed)
        {
            var slash = item.IndexOf('/', StringComparison.Ordinal);
            var (body, step) = slash < 0 ? (item, (int?)null) : (item[..slash], Number(item[(slash + 1)..], 1, Most + 1 - Least));
            if (slash >= 0 && step is null) return null;
            var tail = step is { } every ? string.Create(CultureInfo.InvariantCulture, $"/{every}") : "";
            if (body == "*") return body + tail;
            if (body.StartsWith('H')) return Seeded(body, step, seed);
            if (RangeOf(body) is not null) return body + tail;
            return step is null && IsSpecial(body) ? body : null;
        }

        private string? Seeded(string body, int? step, ulong seed)
        {
            var (from, until) = (Least, MostSeeded);
            if (body.Length > 1)
            {
                if (body is not ['H', '(', .. var inner, ')'] || RangeOf(inner) is not { } range || range.From >= range.Until) return null;
                (from, until) = range;
            }

            var room = Math.Min(step ?? int.MaxValue, until - from + 1);
            var first = from + (int)(seed % (ulong)room);
            return step is { } every ? string.Create(CultureInfo.InvariantCulture, $"{first}-{until}/{every}") : first.ToString(CultureInfo.InvariantCulture);
        }

        private (int From, int Until)? RangeOf(string text)
        {
            var dash = text.IndexOf('-', StringComparison.Ordinal);
            if (dash < 0) return Value(text) is { } one ? (one, one) : null;
            return Value(text[..dash]) is { } from && Value(text[(dash + 1)..]) is { } until && from <= until ? (from, until) : null;
        }

        private int? Value(string text)
        {
            var name = Array.FindIndex(Names, known => known.Equals(text, StringComparison.OrdinalIgnoreCase));
            return name >= 0 ? name + Least : Number(text, Least, Most);
        }

        // Day of the month: L, LW, 15W. Day of the week: FRI#2, FRIL.
        private bool IsSpecial(string body)
        {
            if (Least == 1 && Most == 31) return body is "L" or "LW" || (body.EndsWith('W') && Number(body[..^1], 1, 31) is not null);
            if (Most != 7) return false;
            return body is [.. var day, '#', >= '1' and <= '5'] ? Value(day) is not null : body is [.. var last, 'L'] && Value(last) is not null;
        }

        private static int? Number(string text, int least, int most) =>
            text.Length <= 4 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;
    }
}
