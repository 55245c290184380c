using System.Net;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.Host;

public sealed class HeadRequestTests(SqliteApp host) : IClassFixture<SqliteApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<HttpResponseMessage> HeadAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, path);
        return await host.Client.SendAsync(request, Ct);
    }

    [Theory]
    [InlineData("/", "text/html; charset=utf-8")]
    [InlineData("/livez", "application/json")]
    [InlineData("/readyz", "application/json")]
    [InlineData("/health", "application/json")]
    [InlineData("/workflows", "application/json")]
    [InlineData("/agents/handlers", "application/json")]
    [InlineData("/api/workflows", "application/json")]
    [InlineData("/api/workflows/", "application/json")]
    [InlineData("/workers", "application/json")]
    [InlineData("/status", "application/json")]
    [InlineData("/docs", "text/html; charset=utf-8")]
    [InlineData("/docs/index.html", "text/html; charset=utf-8")]
    [InlineData("/broker/docs", "text/html; charset=utf-8")]
    [InlineData("/broker/openapi.json", "application/json; charset=utf-8")]
    [InlineData("/openapi.json", "application/json; charset=utf-8")]
    public async Task Head_is_answered_as_get_without_the_body(string path, string type)
    {
        using var head = await HeadAsync(path);
        using var get = await host.Client.GetAsync(new Uri(path, UriKind.Relative), Ct);

        Assert.Equal((HttpStatusCode.OK, type), (head.StatusCode, head.Content.Headers.ContentType?.ToString()));
        Assert.Equal((get.StatusCode, type), (head.StatusCode, get.Content.Headers.ContentType?.ToString()));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Ct));
    }

    [Theory]
    [InlineData("/events/nosuch")]
    [InlineData("/agents/events/nosuch")]
    [InlineData("/workflow/step?worker_id=w")]
    [InlineData("/api/workflows/w/jobs/j/logs/stream")]
    [InlineData("/worker/register")]
    public async Task Streams_claims_and_posts_take_no_head(string path)
    {
        using var head = await HeadAsync(path);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, head.StatusCode);
        Assert.NotEmpty(head.Content.Headers.Allow);
    }

    [Fact]
    public async Task An_unknown_path_is_unknown_to_head_too()
    {
        using var head = await HeadAsync("/results/nosuch");
        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
    }

    [Fact]
    public async Task The_bare_address_shows_a_page_that_needs_nothing_from_elsewhere()
    {
        using var page = await host.Client.GetAsync(new Uri("/", UriKind.Relative), Ct);
        var text = await page.Content.ReadAsStringAsync(Ct);

        Assert.Equal("text/html; charset=utf-8", page.Content.Headers.ContentType?.ToString());
        Assert.Contains("href=\"docs\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", text, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", text, StringComparison.Ordinal);
    }
}
