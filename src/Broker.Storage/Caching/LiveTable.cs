using System.Diagnostics.CodeAnalysis;

namespace Broker.Storage.Caching;

/// <summary>Objects by key for as long as others hold them: it keeps none alive.</summary>
internal sealed class LiveTable<TKey, TValue>
    where TKey : notnull
    where TValue : class
{
    private const int FirstSweep = 1024;

    private readonly Lock gate = new();
    private readonly Dictionary<TKey, WeakReference<TValue>> entries = [];
    private int sweepAt = FirstSweep;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (gate)
        {
            value = null;
            return entries.TryGetValue(key, out var entry) && entry.TryGetTarget(out value);
        }
    }

    /// <summary>The object that is alive under that key, else the given one, which is from now on.</summary>
    public TValue GetOrAdd(TKey key, TValue value)
    {
        lock (gate)
        {
            if (entries.TryGetValue(key, out var entry) && entry.TryGetTarget(out var alive)) return alive;
            if (entries.Count >= sweepAt) Sweep();
            entries[key] = new(value);
            return value;
        }
    }

    private void Sweep()
    {
        foreach (var (key, entry) in entries)
        {
            if (!entry.TryGetTarget(out _)) entries.Remove(key);
        }

        sweepAt = Math.Max(FirstSweep, 2 * entries.Count);
    }
}
