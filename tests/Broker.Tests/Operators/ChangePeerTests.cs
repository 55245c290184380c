using System.Diagnostics;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.Auth;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Hints where two brokers share a PostgreSQL database, and streams whose key is revoked.</summary>
public sealed class ChangePeerTests(PostgresCluster cluster) : IAsyncLifetime
{
    /// <summary>A stream ends so soon after the revocation of its key.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private string? database;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        PostgresCluster.Require();
        database = await cluster.CreateDatabaseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (database is not null) await cluster.DropAsync(database);
    }

    [Fact]
    public async Task A_watcher_is_hinted_at_what_another_broker_changes()
    {
        await using var watched = await OwnBroker.StartOnAsync(database, null);
        await using var other = await OwnBroker.StartOnAsync(database, null);
        var (name, wire) = (NewName("hints"), new OperatorWire(other.Client));
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        using var stream = await WatchAsync(watched, null, $"runs:{name},waiting");
        await using var events = await EventsAsync(stream);
        Assert.Equal("hello", (await NextAsync(events)).EventType);

        // The other broker notes changes once it knows of the watcher: hints of before are not sent.
        using var seen = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var starts = Task.Run(
            async () =>
            {
                for (var i = 0; !seen.IsCancellationRequested; i++) await wire.StartAsync(name, At("i-{0}", i));
            },
            Ct);
        var topics = new HashSet<string>(StringComparer.Ordinal);
        while (topics.Count < 2) topics.Add(Text(JsonElement.Parse((await NextAsync(events)).Data), "topic"));
        await seen.CancelAsync();
        await starts;
        Assert.Equal([$"runs:{name}", "waiting"], topics.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_stream_ends_within_5_s_of_the_revocation_of_its_key_on_another_broker()
    {
        await using var watched = await OwnBroker.StartOnAsync(database, null, TestKeys.Settings);
        await using var other = await OwnBroker.StartOnAsync(database, null, TestKeys.Settings);
        var took = await RevokedAsync(watched, other);
        Assert.InRange(took, TimeSpan.Zero, Limit);
    }

    [Fact]
    public async Task A_stream_ends_within_5_s_of_the_revocation_of_its_key_on_its_own_broker()
    {
        await using var broker = await OwnBroker.StartAsync(TestKeys.Settings);
        Assert.InRange(await RevokedAsync(broker, broker), TimeSpan.Zero, Limit);
    }

    // How long the stream went on.
    private static async Task<TimeSpan> RevokedAsync(OwnBroker watched, OwnBroker other)
    {
        var made = await other.Client.CallAsync("admin", "POST", "/api/v1/keys", """{"name":"watcher","scopes":["read"]}""");
        Assert.Equal(201, made.Status);
        var key = (string)made.Json["key"]!;
        await Eventually.TrueAsync(async () => (await watched.Client.CallAsync(key, "GET", "/api/v1/me")).Status == 200, WaitLimit);
        using var stream = await WatchAsync(watched, key, "runs");
        await using var events = await EventsAsync(stream);
        Assert.Equal("hello", (await NextAsync(events)).EventType);

        var revoked = Stopwatch.GetTimestamp();
        Assert.Equal(200, (await other.Client.CallAsync("admin", "DELETE", $"/api/v1/keys/{(string)made.Json["info"]!["id"]!}")).Status);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (await events.MoveNextAsync().AsTask().WaitAsync(WaitLimit, Ct))
            {
            }

            throw new HttpRequestException("The stream ended.");
        });
        return Stopwatch.GetElapsedTime(revoked);
    }

    private static async Task<HttpResponseMessage> WatchAsync(OwnBroker broker, string? key, string topics)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/changes?topics={topics}");
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        var response = await broker.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        Assert.Equal(200, (int)response.StatusCode);
        return response;
    }

    private static async Task<IAsyncEnumerator<SseItem<string>>> EventsAsync(HttpResponseMessage response) =>
        SseParser.Create(await response.Content.ReadAsStreamAsync(Ct)).EnumerateAsync(Ct).GetAsyncEnumerator(Ct);

    private static async Task<SseItem<string>> NextAsync(IAsyncEnumerator<SseItem<string>> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(WaitLimit, Ct));
        return events.Current;
    }
}
