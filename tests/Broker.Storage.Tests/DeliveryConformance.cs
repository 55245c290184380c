using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Subscriptions and what is sent to them.</summary>
public abstract class DeliveryConformance : StoreTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly DisableRule Rule = new(3, TimeSpan.FromHours(1), "3 attempts failed");

    private protected DeliveryConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task Subscriptions_are_kept_changed_and_deleted()
    {
        var added = await AddAsync("a");
        Assert.True(added.CreatedAt > DateTimeOffset.UnixEpoch);
        Assert.Equal(added, await Store.Webhooks.FindAsync("a", Ct));
        await AddAsync("b");
        Assert.Null(await Store.Webhooks.AddAsync(added with { Id = "c" }, 2, Ct));
        var changed = (await Store.Webhooks.ChangeAsync(added with { Url = "http://other", Events = NoticeKinds.RunSucceeded, Where = null, IsEnabled = false, DisabledBecause = "by hand" }, Ct))!;
        Assert.Equal(("http://other", NoticeKinds.RunSucceeded, null, false, "by hand"), (changed.Url, changed.Events, changed.Where, changed.IsEnabled, changed.DisabledBecause));
        Assert.Equal(["a", "b"], (await Store.Webhooks.ListAsync(Ct)).Select(webhook => webhook.Id).Order(StringComparer.Ordinal));
        await QueueAsync("a", "m1");
        Assert.True(await Store.Webhooks.DeleteAsync("a", Ct));
        Assert.False(await Store.Webhooks.DeleteAsync("a", Ct));
        Assert.Null(await Store.Webhooks.ChangeAsync(added, Ct));
        Assert.Equal(["0"], await Engine.QueryAsync("SELECT count(*) FROM webhook_delivery"));
    }

    [Fact]
    public async Task A_message_is_queued_once_for_each_subscription()
    {
        await AddAsync("a");
        Assert.Equal(3, (await Store.Deliveries.QueueAsync([Of("a", "m1"), Of("b", "m1"), Of("a", "m1"), Of("a", "m2")], Ct)).Count);
        Assert.Empty(await Store.Deliveries.QueueAsync([Of("a", "m2")], Ct));
    }

    [Fact]
    public async Task Due_deliveries_have_one_sender_and_subscriptions_their_share()
    {
        foreach (var id in (string[])["a", "b"])
        {
            await AddAsync(id);
            for (var i = 0; i < 10; i++) await QueueAsync(id, $"{id}{i}");
        }

        var peer = OpenPeer();
        var room = new Dictionary<string, int> { ["a"] = 2, ["b"] = 1 };
        var taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => (i % 2 == 0 ? Store : peer).Deliveries.TakeAsync($"o{i}", room, 8, Lease, Ct))));
        Assert.All(taken, some => Assert.InRange(some.Count(d => d.WebhookId == "a"), 0, 2));
        Assert.Distinct(taken.SelectMany(some => some).Select(d => d.Id));
        Assert.Equal(["b"], (await Store.Deliveries.TakeAsync("x", new Dictionary<string, int> { ["b"] = 1 }, 8, Lease, Ct)).Select(d => d.WebhookId));

        // A sender that was killed leaves its lease to expire.
        await Engine.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(8, (await Store.Deliveries.TakeAsync("late", new Dictionary<string, int> { ["a"] = 10, ["b"] = 10 }, 8, Lease, Ct)).Count);
    }

    [Fact]
    public async Task An_attempt_counts_under_its_lease_alone()
    {
        await AddAsync("a");
        await QueueAsync("a", "m1");
        var first = await TakeAsync("one");
        await Engine.PassAsync(TimeSpan.FromMinutes(1));
        var second = await TakeAsync("two");
        Assert.Equal(first.Id, second.Id);
        Assert.False(await Store.Deliveries.EndAsync(first, "one", new(200, null, 5), Rule, Ct));
        Assert.True(await Store.Deliveries.EndAsync(second, "two", new(500, "the answer was 500", 5) { RetryAfter = TimeSpan.FromSeconds(10) }, Rule, Ct));
        Assert.Empty(await Store.Deliveries.TakeAsync("early", Room, 8, Lease, Ct));
        await Engine.PassAsync(TimeSpan.FromSeconds(11));
        Assert.True(await Store.Deliveries.EndAsync(await TakeAsync("three"), "three", new(204, null, 7), Rule, Ct));
        var log = Assert.Single((await Store.Deliveries.ListAsync("a", DeliveryPhase.Delivered, null, 10, Ct)).Rows);
        Assert.Equal((2, 204, null, 7), (log.Attempts, log.StatusCode, log.Error, log.TookMs));
        Assert.NotNull(log.EndedAt);

        var again = (await Store.Deliveries.ReplayAsync("a", log.Id, Ct))!;
        Assert.Equal((DeliveryPhase.Pending, "m1", 0), (again.Phase, again.MessageId, again.Tries));
        Assert.Null(await Store.Deliveries.ReplayAsync("b", log.Id, Ct));
        Assert.Equal("m1", (await TakeAsync("four")).MessageId);
    }

    [Fact]
    public async Task Failures_in_a_row_disable_a_subscription_once_they_last()
    {
        await AddAsync("a");
        await QueueAsync("a", "m1");
        for (var i = 0; i < 4; i++) await FailAsync();
        Assert.Equal((true, 4), await StateAsync());
        await Engine.PassAsync(TimeSpan.FromHours(2));
        await FailAsync();
        var webhook = (await Store.Webhooks.FindAsync("a", Ct))!;
        Assert.Equal((false, "3 attempts failed"), (webhook.IsEnabled, webhook.DisabledBecause));

        await Store.Webhooks.ChangeAsync(webhook with { IsEnabled = true, DisabledBecause = null }, Ct);
        Assert.Equal((true, 0), await StateAsync());
        await FailAsync();
        await Store.Deliveries.EndAsync(await TakeAsync("good"), "good", new(200, null, 1), Rule, Ct);
        Assert.Equal((true, 0), await StateAsync());

        await QueueAsync("a", "m2");
        await Store.Deliveries.EndAsync(await TakeAsync("gone"), "gone", new(410, "gone", 1) { Disable = "gone" }, Rule, Ct);
        Assert.Equal((false, 1), await StateAsync());

        async Task FailAsync() => Assert.True(await Store.Deliveries.EndAsync(await TakeAsync("x"), "x", new(500, "no", 1) { RetryAfter = TimeSpan.Zero }, Rule, Ct));
        async Task<(bool, int)> StateAsync() => await Store.Webhooks.FindAsync("a", Ct) is { } now ? (now.IsEnabled, now.Failures) : default;
    }

    [Fact]
    public async Task Old_deliveries_are_removed_in_parts()
    {
        for (var i = 0; i < 5; i++) await QueueAsync("a", $"m{i}");
        await Engine.PassAsync(TimeSpan.FromDays(8));
        await QueueAsync("a", "new");
        var limit = await Store.Engine.NowAsync(Ct) - TimeSpan.FromDays(7);
        var removed = new List<int>();
        for (var i = 0; i < 3; i++) removed.Add(await Store.Deliveries.PruneAsync(limit, 3, Ct));
        Assert.Equal([3, 2, 0], removed);
        Assert.Equal("new", Assert.Single((await Store.Deliveries.ListAsync("a", null, null, 10, Ct)).Rows).MessageId);
    }

    private static readonly Dictionary<string, int> Room = new() { ["a"] = 1 };

    private async Task<StoredDelivery> TakeAsync(string owner) => Assert.Single(await Store.Deliveries.TakeAsync(owner, Room, 8, Lease, Ct));

    private static NewDelivery Of(string webhook, string message) => new(webhook, message, "run.failed", """{"type":"run.failed"}""");

    private async Task QueueAsync(string webhook, string message) => await Store.Deliveries.QueueAsync([Of(webhook, message)], Ct);

    private async Task<StoredWebhook> AddAsync(string id) =>
        (await Store.Webhooks.AddAsync(new() { Id = id, Url = "http://there", Events = NoticeKinds.RunFailed, Where = "workflow=ci", Secret = "tercES", KeyId = "k" }, 100, Ct))!;
}

public sealed class PostgresDeliveryTests(PostgresCluster cluster) : DeliveryConformance(new OnPostgres(cluster));

public sealed class SqliteDeliveryTests() : DeliveryConformance(new OnSqlite());
