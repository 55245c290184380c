namespace Broker.Core.Schedules;

/// <summary>Numbers that look random and are the same wherever they are computed: FNV-1a with a final mix.</summary>
internal static class SeededNumber
{
    public static ulong Of(string seed, long more)
    {
        var hash = 14695981039346656037UL;
        foreach (var letter in seed) hash = (hash ^ letter) * 1099511628211UL;
        hash = (hash ^ (ulong)more) * 1099511628211UL;
        hash ^= hash >> 33;
        hash *= 0xff51afd7ed558ccdUL;
        return hash ^ (hash >> 33);
    }
}
