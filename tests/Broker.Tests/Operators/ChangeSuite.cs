using System.Net.ServerSentEvents;
using System.Text.Json;
using Broker.Tests.App;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Hints over server-sent events.</summary>
public abstract class ChangeSuite(BrokerApp app)
{
    private readonly OperatorWire wire = new(app.Client);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private protected BrokerApp App => app;

    [Fact]
    public async Task A_watcher_is_greeted_and_hinted_at_changes_of_its_topics()
    {
        var (name, other) = (NewName("hints"), NewName("hints"));
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        await wire.RegisterAsync(other, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        using var response = await app.Client.SendAsync(new(HttpMethod.Get, $"/api/v1/changes?topics=runs:{name},run:{name}/i-1,waiting"), HttpCompletionOption.ResponseHeadersRead, Ct);
        Assert.Equal(200, (int)response.StatusCode);
        await using var events = SseParser.Create(await response.Content.ReadAsStreamAsync(Ct)).EnumerateAsync(Ct).GetAsyncEnumerator(Ct);
        var hello = await NextAsync(events);
        Assert.Equal(("hello", true), (hello.EventType, JsonElement.Parse(hello.Data).TryGetProperty("version", out _)));

        await wire.StartAsync(other, "i-1");
        await wire.StartAsync(name, "i-1");
        var topics = new HashSet<string>(StringComparer.Ordinal);
        while (topics.Count < 3)
        {
            var change = await NextAsync(events);
            Assert.Equal("change", change.EventType);
            var data = JsonElement.Parse(change.Data);
            Assert.True(data.GetProperty("n").GetInt32() > 0);
            Assert.True(data.GetProperty("at").GetDateTimeOffset() > DateTimeOffset.UnixEpoch);
            topics.Add(Text(data, "topic"));
        }

        Assert.Equal([$"run:{name}/i-1", $"runs:{name}", "waiting"], topics.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?topics=colours")]
    [InlineData("?topics=runs:")]
    [InlineData("?topics=run:a")]
    [InlineData("?topics=runs,,queues")]
    public async Task Topics_that_there_are_not_are_refused(string query) => await wire.ProblemAsync($"/changes{query}", 400, "invalid_parameter");

    private protected static async Task<SseItem<string>> NextAsync(IAsyncEnumerator<SseItem<string>> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), Ct));
        return events.Current;
    }
}

public sealed class PostgresChangeTests(PostgresApp app) : ChangeSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteChangeTests(SqliteApp app) : ChangeSuite(app), IClassFixture<SqliteApp>;
