using System.Globalization;

namespace Broker.Ui.Parts;

/// <summary>Figures as people read them.</summary>
internal static class Words
{
    /// <summary>Two units at most: 850 ms, 12.1 s, 1 m 12 s, 3 h 04 m, 2 d 5 h.</summary>
    public static string Duration(TimeSpan span)
    {
        if (span < TimeSpan.Zero) span = TimeSpan.Zero;
        return span switch
        {
            { TotalSeconds: < 1 } => Invariant($"{span.TotalMilliseconds:0} ms"),
            { TotalSeconds: < 60 } => Invariant($"{span.TotalSeconds:0.#} s"),
            { TotalMinutes: < 60 } => Invariant($"{(int)span.TotalMinutes} m {span.Seconds:00} s"),
            { TotalHours: < 24 } => Invariant($"{(int)span.TotalHours} h {span.Minutes:00} m"),
            _ => Invariant($"{(int)span.TotalDays} d {span.Hours} h"),
        };
    }

    public static string Duration(long? milliseconds) => milliseconds is { } some ? Duration(TimeSpan.FromMilliseconds(some)) : "–";

    public static string Ago(DateTimeOffset at, DateTimeOffset now) => now - at < TimeSpan.FromSeconds(1) ? "now" : $"{Rough(now - at)} ago";

    public static string Until(DateTimeOffset at, DateTimeOffset now) => at <= now ? $"{Rough(now - at)} overdue" : $"in {Rough(at - now)}";

    /// <summary>With groups of thousands: 1,012; beyond a bound 10,000+.</summary>
    public static string Count(int count, bool capped = false) => Invariant($"{count:N0}{(capped ? "+" : "")}");

    public static string Plural(int count, string one, string? many = null) => $"{Count(count)} {(count == 1 ? one : many ?? one + "s")}";

    /// <summary>UTC to the second; a script shows it in the reader's own zone.</summary>
    public static string Clock(DateTimeOffset at, DateTimeOffset now) =>
        at.UtcDateTime.ToString(now - at < TimeSpan.FromHours(20) && at <= now ? "HH:mm:ss" : at.Year == now.Year ? "d MMM HH:mm" : "d MMM yyyy", CultureInfo.InvariantCulture);

    public static string Iso(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    // One unit.
    private static string Rough(TimeSpan span) => span switch
    {
        { TotalSeconds: < 60 } => Invariant($"{span.TotalSeconds:0} s"),
        { TotalMinutes: < 60 } => Invariant($"{span.TotalMinutes:0} min"),
        { TotalHours: < 48 } => Invariant($"{span.TotalHours:0} h"),
        _ => Invariant($"{span.TotalDays:0} d"),
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
