using Broker.Operations;
using Broker.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Host;

public sealed class RequestLogTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_one_line_without_its_query()
    {
        await using var host = await MiniHost.StartAsync(routes => routes.MapGet("/things/{id}", (string id) => id));
        using (await host.Client.GetAsync(new Uri("/things/7?token=secret", UriKind.Relative), Ct))
        {
        }

        var line = Assert.Single(await LinesAsync(host, 1));
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Equal("GET", line.Values["Method"]);
        Assert.Equal("/things/7", line.Values["Path"]);
        Assert.Equal(200, line.Values["Status"]);
        Assert.IsType<double>(line.Values["Milliseconds"]);
        Assert.DoesNotContain(host.Logs.Lines, written => written.Text.Contains("secret", StringComparison.Ordinal) && written.Level >= LogLevel.Information
            && !written.Category.StartsWith("Microsoft", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Failures_are_logged_with_the_status_that_was_sent()
    {
        await using var host = await MiniHost.StartAsync(routes => routes.MapGet("/fails", string () => throw new InvalidOperationException("on purpose")));
        using (await host.Client.GetAsync(new Uri("/fails", UriKind.Relative), Ct))
        {
        }

        Assert.Equal(500, Assert.Single(await LinesAsync(host, 1)).Values["Status"]);
    }

    [Theory]
    [InlineData("/livez")]
    [InlineData("/readyz")]
    [InlineData("/health")]
    public async Task Probes_are_logged_for_those_who_debug(string path)
    {
        await using var host = await MiniHost.StartAsync(routes => routes.MapGet("/health", () => "healthy"), level: LogLevel.Debug);
        using (await host.Client.GetAsync(new Uri(path, UriKind.Relative), Ct))
        {
        }

        Assert.Equal(LogLevel.Debug, Assert.Single(await LinesAsync(host, 1)).Level);
    }

    [Theory]
    [InlineData("abc-123", true)]
    [InlineData("with blank", false)]
    public async Task The_clients_request_id_comes_back_when_it_is_harmless(string id, bool same)
    {
        await using var host = await MiniHost.StartAsync(_ => { });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/livez");
        request.Headers.TryAddWithoutValidation("X-Request-Id", id);
        using var answer = await host.Client.SendAsync(request, Ct);

        var given = Assert.Single(answer.Headers.GetValues("X-Request-Id"));
        Assert.Equal(same, given == id);
        Assert.NotEmpty(given);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.False(answer.Headers.Contains("Server"));
    }

    /// <summary>The line is written after the answer is sent, so the client may be first.</summary>
    private static async Task<IReadOnlyList<RecordedLogs.RecordedLine>> LinesAsync(MiniHost host, int count)
    {
        await Eventually.TrueAsync(() => Own(host).Count >= count);
        return Own(host);
    }

    private static List<RecordedLogs.RecordedLine> Own(MiniHost host) => [.. host.Logs.Lines.Where(line => line.Category == typeof(RequestLog).FullName)];
}
