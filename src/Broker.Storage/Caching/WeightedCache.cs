using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Broker.Storage.Caching;

/// <summary>
/// A cache bounded by weight. When its younger half is full, the older half goes. An entry that is found in the older half moves to
/// the younger one. A hit in the younger half is one look into a dictionary and writes nothing. The caches of the framework and of
/// BitFaster were not taken. One boxes each key and writes a time at each hit, the other counts entries.
/// </summary>
/// <param name="limit">Weight that is held at most, apart from one entry that is heavier.</param>
internal sealed class WeightedCache<TKey, TValue>(long limit)
    where TKey : notnull
{
    private readonly Lock gate = new();
    private ConcurrentDictionary<TKey, (TValue Value, long Weight)> young = new();
    private ConcurrentDictionary<TKey, (TValue Value, long Weight)> old = new();
    private long weight;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        if (young.TryGetValue(key, out var found))
        {
            value = found.Value;
            return true;
        }

        if (!old.TryGetValue(key, out found))
        {
            value = default;
            return false;
        }

        Set(key, found.Value, found.Weight);
        value = found.Value;
        return true;
    }

    public void Set(TKey key, TValue value, long heavy)
    {
        lock (gate)
        {
            if (young.TryGetValue(key, out var replaced)) weight -= replaced.Weight;
            else if (weight > 0 && weight + heavy > limit / 2) (old, young, weight) = (young, new(), 0);
            young[key] = (value, heavy);
            weight += heavy;

            // Else the older half could hold it a second time, with its weight.
            old.TryRemove(key, out _);
        }
    }

    public void Remove(TKey key)
    {
        lock (gate)
        {
            if (young.TryRemove(key, out var removed)) weight -= removed.Weight;
            old.TryRemove(key, out _);
        }
    }

    /// <summary>Removes every entry whose key fits.</summary>
    public void RemoveAll(Predicate<TKey> fits)
    {
        foreach (var key in young.Keys.Concat(old.Keys).Where(key => fits(key)).ToList()) Remove(key);
    }

    public void Clear()
    {
        lock (gate) (old, young, weight) = (new(), new(), 0);
    }
}
