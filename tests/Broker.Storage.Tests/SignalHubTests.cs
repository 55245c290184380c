using Broker.Storage.Contracts;
using Broker.Storage.Health;
using Broker.Storage.Signals;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>The net below lost signals: one look for all waiters, and it wakes only those for whom something has changed.</summary>
public sealed class SignalHubTests
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(30);

    private readonly SignalHub hub = new(new StoreEpoch(), TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_waiters_no_query_is_sent()
    {
        var store = new Versions();
        await hub.LookAsync(store, Ct);
        Assert.Equal(0, store.Looks);
    }

    [Fact]
    public async Task A_thousand_waiters_cost_one_look_and_only_changes_wake_them()
    {
        var store = new Versions { ["r1"] = "a", ["r2"] = "a" };
        var waiters = Enumerable.Range(0, 1000).Select(i => hub.Subscribe(i % 2 == 0 ? "r1" : "r2")).ToList();

        // A signal may have been lost before the first look, so it wakes every waiter.
        await hub.LookAsync(store, Ct);
        foreach (var waiter in waiters) Assert.True(await waiter.WaitAsync(WaitLimit, Ct));
        Assert.Equal(1, store.Looks);

        await hub.LookAsync(store, Ct);
        var waiting = waiters.ConvertAll(waiter => waiter.WaitAsync(WaitLimit, Ct));
        Assert.DoesNotContain(waiting, wait => wait.IsCompleted);

        store["r2"] = "b";
        await hub.LookAsync(store, Ct);
        Assert.All(await Task.WhenAll(waiting.Where((_, i) => i % 2 == 1)), Assert.True);
        Assert.DoesNotContain(waiting.Where((_, i) => i % 2 == 0), wait => wait.IsCompleted);

        // Deleted: its waiters look and find that.
        store.Remove("r1");
        await hub.LookAsync(store, Ct);
        Assert.All(await Task.WhenAll(waiting), Assert.True);
        foreach (var waiter in waiters) waiter.Dispose();
    }

    [Fact]
    public async Task A_topic_without_waiters_is_forgotten()
    {
        var store = new Versions { ["r1"] = "a" };
        var waiter = hub.Subscribe("r1");
        await hub.LookAsync(store, Ct);
        waiter.Dispose();
        await hub.LookAsync(store, Ct);
        Assert.Equal(1, store.Looks);

        using var again = hub.Subscribe("r1");
        await hub.LookAsync(store, Ct);
        Assert.True(await again.WaitAsync(WaitLimit, Ct));
    }

    [Theory]
    [InlineData("w", "s")]
    [InlineData("a/b:c", "7:d/e")]
    [InlineData("", "s")]
    [InlineData("w", "")]
    public void Names_of_any_form_come_back_out_of_a_topic(string workflow, string step)
    {
        Assert.True(Topics.TryLog(Topics.Log(workflow, step), out var w, out var s));
        Assert.Equal((workflow, step), (w, s));
        Assert.False(Topics.TryRun(Topics.Log(workflow, step), out _));
        Assert.False(Topics.TryLog(Topics.Run(7), out _, out _));
    }

    private sealed class Versions : Dictionary<string, string>, ITopicVersions
    {
        public int Looks { get; private set; }

        public Task<Dictionary<string, string>> VersionsAsync(IReadOnlyList<string> topics, CancellationToken ct)
        {
            Looks++;
            return Task.FromResult(new Dictionary<string, string>(this));
        }
    }
}
