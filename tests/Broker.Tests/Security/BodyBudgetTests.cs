using System.Net.Sockets;
using System.Text;
using Broker.Http;
using Broker.Testing;
using Broker.Tests.App;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Security;

/// <summary>Large bodies that arrive at the same time share a limited amount of memory.</summary>
public sealed class BodyBudgetTests
{
    private const int Large = 700_000;
    private static readonly string[] Limits = ["--Broker:MaxBodyBytes=1000000", "--Broker:Limits:BodyBytes=1000000"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/workflow/dispatch", "detail")]
    [InlineData("/api/workflows", "error")]
    [InlineData("/api/workflows/greet/instances", "message")]
    public async Task A_body_beyond_the_budget_is_answered_503_while_small_bodies_pass(string path, string member)
    {
        await using var broker = await OwnBroker.StartAsync(Limits);
        using var half = await SendHalfAsync(broker, path);
        await HeldAsync(broker, Large);

        using var refused = await broker.Client.PostAsync(new Uri(path, UriKind.Relative), Json(Large), Ct);
        Assert.Equal(503, (int)refused.StatusCode);
        Assert.Equal("2", refused.Headers.RetryAfter?.ToString());
        var answer = System.Text.Json.JsonElement.Parse(await refused.Content.ReadAsStringAsync(Ct));
        Assert.Contains("Too many large request bodies", answer.GetProperty(member).GetString(), StringComparison.Ordinal);

        using var small = await broker.Client.PostAsync(new Uri(path, UriKind.Relative), Json(1000), Ct);
        Assert.NotEqual(503, (int)small.StatusCode);
    }

    [Fact]
    public async Task A_client_that_goes_away_returns_its_share()
    {
        await using var broker = await OwnBroker.StartAsync(Limits);
        using (await SendHalfAsync(broker, "/workflow/dispatch")) await HeldAsync(broker, Large);
        await HeldAsync(broker, 0);

        using var whole = await broker.Client.PostAsync(new Uri("/workflow/dispatch", UriKind.Relative), Json(Large), Ct);
        Assert.NotEqual(503, (int)whole.StatusCode);
        await HeldAsync(broker, 0);
    }

    [Fact]
    public async Task A_stalled_body_gives_way_to_one_that_arrives()
    {
        var clock = new TestClock();
        await using var broker = await OwnBroker.StartWithAsync(null, builder => builder.Services.AddSingleton(
            provider => new BodyBudget(provider.GetRequiredService<Broker.Settings.BrokerSettings>(), clock)), Limits);
        using var stalled = await SendHalfAsync(broker, "/workflow/dispatch");
        await HeldAsync(broker, Large);
        clock.Advance(BodyBudget.StallTime);

        using var whole = await broker.Client.PostAsync(new Uri("/workflow/dispatch", UriKind.Relative), Json(Large), Ct);
        Assert.NotEqual(503, (int)whole.StatusCode);
        var start = new byte[12];
        Assert.Equal(start.Length, await stalled.ReceiveAsync(start, Ct));
        Assert.Equal("HTTP/1.1 408", Encoding.ASCII.GetString(start));
    }

    private static Task HeldAsync(OwnBroker broker, long bytes)
    {
        var budget = broker.Services.GetRequiredService<BodyBudget>();
        return Eventually.TrueAsync(() => budget.HeldBytes == bytes);
    }

    private static StringContent Json(int length) => new($"\"{new string('x', length)}\"", Encoding.UTF8, "application/json");

    private static async Task<Socket> SendHalfAsync(OwnBroker broker, string path)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(broker.Address.Host, broker.Address.Port, Ct);
        var head = $"POST {path} HTTP/1.1\r\nHost: {broker.Address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {Large + 10}\r\n\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(head + new string('x', Large)), Ct);
        return socket;
    }
}
