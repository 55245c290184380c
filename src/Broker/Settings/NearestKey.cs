namespace Broker.Settings;

/// <summary>Finds the known name that a mistyped one is likely to mean.</summary>
internal static class NearestKey
{
    /// <summary>Null when none is near: 33 % of the characters may differ. The same last part in another section is near too.</summary>
    public static string? To(string typed, IEnumerable<string> known)
    {
        var (nearest, least) = ((string?)null, 1 + (typed.Length / 3));
        foreach (var name in known.Order(StringComparer.Ordinal))
        {
            var distance = LastPart(name).Equals(LastPart(typed), StringComparison.OrdinalIgnoreCase) ? 0 : Distance(typed, name);
            if (distance < least) (nearest, least) = (name, distance);
        }

        return nearest;
    }

    private static ReadOnlySpan<char> LastPart(string key) => key.AsSpan(key.LastIndexOf(':') + 1);

    // Edits (insert, remove, replace a character) that make one text of the other, whatever the case.
    private static int Distance(string from, string to)
    {
        var row = new int[to.Length + 1];
        for (var j = 0; j < row.Length; j++) row[j] = j;
        for (var i = 1; i <= from.Length; i++)
        {
            var (diagonal, left) = (row[0], row[0] = i);
            for (var j = 1; j <= to.Length; j++)
            {
                var same = char.ToUpperInvariant(from[i - 1]) == char.ToUpperInvariant(to[j - 1]);
                var cost = Math.Min(Math.Min(row[j], left) + 1, diagonal + (same ? 0 : 1));
                (diagonal, left) = (row[j], row[j] = cost);
            }
        }

        return row[^1];
    }
}
