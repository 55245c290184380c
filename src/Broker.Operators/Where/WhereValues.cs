using System.Globalization;

namespace Broker.Operators.Where;

/// <summary>Readers of values.</summary>
public static class WhereValues
{
    private static readonly string[] Instants =
    [
        "yyyy-MM-dd", "yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK",
    ];

    private static readonly (string Unit, long Milliseconds)[] Units =
    [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000),
    ];

    /// <summary>Longest length of time that is read.</summary>
    public static TimeSpan LongestDuration { get; } = TimeSpan.FromDays(36_500);

    /// <summary>Reads a whole number of 0 or more.</summary>
    public static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>Reads numbers with units ms, s, m, h, d or w: <c>90s</c>, <c>1h30m</c>.</summary>
    public static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = default;
        var rest = text.AsSpan();
        if (rest.IsEmpty) return false;
        var total = 0L;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is <= 0 or > 12) return false;
            var number = long.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9');
            var unit = letters < 0 ? rest : rest[..letters];
            var factor = 0L;
            foreach (var (name, milliseconds) in Units)
            {
                if (unit.SequenceEqual(name)) factor = milliseconds;
            }

            if (factor == 0) return false;
            total += (long)Math.Min((double)number * factor, LongestDuration.TotalMilliseconds + 1);
            if (total > LongestDuration.TotalMilliseconds) return false;
            rest = rest[unit.Length..];
        }

        duration = TimeSpan.FromMilliseconds(total);
        return true;
    }

    /// <summary>Reads an instant, a day (its begin), or a time ago. Without an offset it is UTC.</summary>
    /// <param name="text">The value.</param>
    /// <param name="now">The present, for a time ago.</param>
    /// <param name="instant">The instant, in UTC.</param>
    public static bool TryInstant(string text, DateTimeOffset now, out DateTimeOffset instant)
    {
        if (TryDuration(text, out var ago))
        {
            instant = now - DateTimeOffset.MinValue < ago ? DateTimeOffset.MinValue : now - ago;
            return true;
        }

        var isInstant = DateTimeOffset.TryParseExact(text, Instants, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out instant);
        return isInstant;
    }
}
