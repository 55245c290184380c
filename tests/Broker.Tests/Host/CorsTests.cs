using Broker.Settings;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace Broker.Tests.Host;

/// <summary>Jobs contract 10, handlers contract 1.</summary>
public sealed class CorsTests
{
    private const string Page = "https://page.example";

    [Fact]
    public async Task Without_a_list_every_page_may_read_without_credentials()
    {
        await using var host = await HostAsync();
        using var answer = await SendAsync(host, HttpMethod.Get, "/api/jobs");
        Assert.Equal("*", Header(answer, "Access-Control-Allow-Origin"));
        Assert.Equal("*", Header(answer, "Access-Control-Expose-Headers"));
        Assert.Null(Header(answer, "Access-Control-Allow-Credentials"));
    }

    [Theory]
    [InlineData("/workflows")]
    [InlineData("/handlers/h1")]
    [InlineData("/events/h1")]
    [InlineData("/results/h1")]
    [InlineData("/agents/handlers")]
    [InlineData("/health")]
    public async Task Without_a_list_the_handlers_dialect_echoes_the_origin_with_credentials(string path)
    {
        await using var host = await HostAsync();
        using var answer = await SendAsync(host, HttpMethod.Get, path);
        Assert.Equal(Page, Header(answer, "Access-Control-Allow-Origin"));
        Assert.Equal("true", Header(answer, "Access-Control-Allow-Credentials"));
        Assert.Equal("Origin", Header(answer, "Vary"));
    }

    [Theory]
    [InlineData("/api/jobs", "*", "*, Authorization")]
    [InlineData("/handlers", "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS", "authorization, x-mine")]
    [InlineData("/no/such/path", "*", "*, Authorization")]
    public async Task Preflights_are_answered_200_with_everything_allowed(string path, string methods, string headers)
    {
        await using var host = await HostAsync();
        using var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.Add("Origin", Page);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization, x-mine");
        using var answer = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(methods, Header(answer, "Access-Control-Allow-Methods"));
        Assert.Equal(headers, Header(answer, "Access-Control-Allow-Headers"));
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("/api/jobs")]
    [InlineData("/handlers")]
    public async Task With_a_list_a_listed_origin_is_echoed_and_others_get_nothing(string path)
    {
        await using var host = await HostAsync(Page);
        using var listed = await SendAsync(host, HttpMethod.Get, path);
        using var other = await SendAsync(host, HttpMethod.Get, path, "https://other.example");
        using var preflight = await SendAsync(host, HttpMethod.Options, path, "https://other.example");

        Assert.Equal(Page, Header(listed, "Access-Control-Allow-Origin"));
        Assert.Null(Header(other, "Access-Control-Allow-Origin"));
        Assert.Equal("Origin", Header(other, "Vary"));
        Assert.Equal(200, (int)preflight.StatusCode);
        Assert.Null(Header(preflight, "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_star_says_what_unset_means()
    {
        await using var host = await HostAsync("*");
        using var jobs = await SendAsync(host, HttpMethod.Get, "/api/jobs");
        using var handlers = await SendAsync(host, HttpMethod.Get, "/handlers");
        Assert.Equal("*", Header(jobs, "Access-Control-Allow-Origin"));
        Assert.Equal(Page, Header(handlers, "Access-Control-Allow-Origin"));
        Assert.Equal("true", Header(handlers, "Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task A_list_of_which_nothing_could_be_read_allows_no_origin()
    {
        await using var host = await MiniHost.StartAsync(routes => routes.MapGet("/api/jobs", () => "jobs"), new BrokerSettings { CorsOrigins = [] });
        using var answer = await SendAsync(host, HttpMethod.Get, "/api/jobs");
        Assert.Null(Header(answer, "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Failures_can_be_read_by_pages_too()
    {
        await using var host = await HostAsync();
        using var answer = await SendAsync(host, HttpMethod.Get, "/fails");
        Assert.Equal(500, (int)answer.StatusCode);
        Assert.Equal("*", Header(answer, "Access-Control-Allow-Origin"));
    }

    private static Task<MiniHost> HostAsync(params string[] origins) => MiniHost.StartAsync(
        routes =>
        {
            routes.MapGet("/api/jobs", () => "jobs");
            routes.MapGet("/fails", string () => throw new InvalidOperationException("on purpose"));
        },
        new BrokerSettings { CorsOrigins = origins.Length == 0 ? null : origins });

    private static async Task<HttpResponseMessage> SendAsync(MiniHost host, HttpMethod method, string path, string origin = Page)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Origin", origin);
        return await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
