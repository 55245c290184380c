using Broker.Storage.Caching;
using Xunit;

namespace Broker.Storage.Tests;

public sealed class WeightedCacheTests
{
    private readonly WeightedCache<int, string> cache = new(100);

    [Fact]
    public void Entries_stay_within_the_weight_and_the_least_used_go()
    {
        for (var key = 0; key < 50; key++)
        {
            cache.Set(key, $"{key}", 10);

            // Asked for again and again, so it stays.
            Assert.True(cache.TryGet(0, out _), $"{key}");
        }

        var kept = Enumerable.Range(0, 50).Where(key => cache.TryGet(key, out _)).ToList();
        Assert.InRange(kept.Count, 5, 10);
        Assert.Contains(0, kept);
        Assert.Contains(49, kept);
    }

    [Fact]
    public void A_replaced_entry_counts_once()
    {
        for (var i = 0; i < 50; i++) cache.Set(1, $"{i}", 10);
        cache.Set(2, "two", 10);
        Assert.True(cache.TryGet(1, out var one) && one == "49");
        Assert.True(cache.TryGet(2, out _));
    }

    [Fact]
    public void An_entry_heavier_than_the_limit_is_held_alone_with_what_was_used_before()
    {
        cache.Set(1, "light", 10);
        cache.Set(2, "heavy", 1000);
        Assert.True(cache.TryGet(2, out _));
        cache.Set(3, "next", 10);
        cache.Set(4, "next", 1000);
        Assert.False(cache.TryGet(2, out _));
    }

    [Fact]
    public void Removed_entries_are_gone_from_both_halves()
    {
        for (var key = 0; key < 8; key++) cache.Set(key, "x", 10);
        for (var key = 0; key < 8; key++) cache.Remove(key);
        for (var key = 0; key < 8; key++) Assert.False(cache.TryGet(key, out _));
    }

    [Fact]
    public async Task Many_threads_find_what_they_have_just_set_or_nothing_else_under_its_key()
    {
        var shared = new WeightedCache<int, string>(1000);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                var key = ((i * 7) + thread) % 500;
                shared.Set(key, $"{key}", 10);
                if (shared.TryGet(key, out var found)) Assert.Equal($"{key}", found);
            }
        })));
    }

    [Fact]
    public void A_live_object_is_found_until_it_is_collected()
    {
        var table = new LiveTable<int, object>();
        var one = new object();
        Assert.Same(one, table.GetOrAdd(1, one));
        Assert.Same(one, table.GetOrAdd(1, new object()));
        Assert.True(table.TryGet(1, out var found));
        Assert.Same(one, found);
        Assert.False(table.TryGet(2, out _));
    }
}
