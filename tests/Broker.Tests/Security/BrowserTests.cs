using System.Text.RegularExpressions;
using Broker.Settings;
using Broker.Tests.App;
using Broker.Tests.Host;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace Broker.Tests.Security;

/// <summary>Headers for browsers, and internals that no answer shows.</summary>
public sealed class BrowserTests(SqliteApp app) : IClassFixture<SqliteApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/status")]
    [InlineData("/livez")]
    [InlineData("/nowhere")]
    [InlineData("/openapi.json")]
    [InlineData("/workflows/none/schema")]
    [InlineData("/api/workflows/none/status")]
    [InlineData("/docs/index.html")]
    public async Task Every_answer_forbids_sniffing_framing_and_referrers(string path)
    {
        using var answer = await app.Client.GetAsync(new Uri(path, UriKind.Relative), Ct);
        Assert.Equal("nosniff", Header(answer, "X-Content-Type-Options"));
        Assert.Equal("DENY", Header(answer, "X-Frame-Options"));
        Assert.Equal("no-referrer", Header(answer, "Referrer-Policy"));
        Assert.Contains("default-src 'none'", Header(answer, "Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", Header(answer, "Content-Security-Policy"), StringComparison.Ordinal);
        Assert.NotEmpty(Header(answer, "X-Request-Id"));
        Assert.False(answer.Headers.Contains("Server"));
        Assert.False(answer.Headers.Contains("X-Powered-By"));
    }

    [Theory]
    [InlineData("/docs")]
    [InlineData("/docs/")]
    [InlineData("/docs/index.html")]
    [InlineData("/broker/docs")]
    [InlineData("/broker/docs/")]
    public async Task The_page_needs_nothing_that_its_policy_forbids(string path)
    {
        var address = new Uri(app.Address, path);
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler);
        using var answer = await client.GetAsync(address, Ct);
        Assert.Equal(200, (int)answer.StatusCode);
        var page = await answer.Content.ReadAsStringAsync(Ct);
        var policy = Header(answer, "Content-Security-Policy");

        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotMatch(new Regex("<script(?![^>]*src=)", RegexOptions.IgnoreCase), page);
        Assert.DoesNotMatch(new Regex("<style|style=|javascript:| on[a-z]+=", RegexOptions.IgnoreCase), page);
        var files = Regex.Matches(page, "(?:src|href)=\"([^\"]+)\"").Select(found => found.Groups[1].Value).ToList();
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            Assert.DoesNotContain(':', file);
            using var part = await client.GetAsync(new Uri(address, file), Ct);
            Assert.Equal(200, (int)part.StatusCode);
        }
    }

    [Theory]
    [InlineData("/docs")]
    [InlineData("//evil.example/docs")]
    [InlineData("//evil.example/%2e%2e/docs")]
    [InlineData("/docs//evil.example")]
    [InlineData("/\\evil.example/docs")]
    [InlineData("/workflows//evil.example/")]
    public async Task No_redirect_leads_elsewhere(string path)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler);
        using var answer = await client.GetAsync(
            new Uri(app.Address.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }), Ct);
        var location = answer.Headers.Location?.OriginalString ?? "";
        Assert.DoesNotContain("evil", location, StringComparison.Ordinal);
        Assert.DoesNotContain("//", location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_to_a_fault_shows_its_request_id_and_no_stack_trace()
    {
        await using var host = await MiniHost.StartAsync(routes => routes.MapGet("/fails", string () => throw new InvalidOperationException("the password is 12345")));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/fails");
        request.Headers.Add("X-Request-Id", "complaint-7");
        using var answer = await host.Client.SendAsync(request, Ct);
        var body = await answer.Content.ReadAsStringAsync(Ct);

        Assert.Equal(500, (int)answer.StatusCode);
        Assert.Contains("complaint-7", body, StringComparison.Ordinal);
        Assert.DoesNotContain("12345", body, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", body, StringComparison.Ordinal);
        Assert.DoesNotContain(" at ", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://page.example", true)]
    [InlineData("https://page.example.evil.example", false)]
    [InlineData("https://evil-page.example", false)]
    [InlineData("http://page.example", false)]
    [InlineData("https://page.example:8443", false)]
    [InlineData("null", false)]
    public async Task Origins_match_exactly(string origin, bool allowed)
    {
        await using var host = await MiniHost.StartAsync(routes => routes.MapGet("/handlers", () => "x"), new BrokerSettings { CorsOrigins = ["https://page.example"] });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/handlers");
        request.Headers.Add("Origin", origin);
        using var answer = await host.Client.SendAsync(request, Ct);

        Assert.Equal(allowed, answer.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(allowed, answer.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    private static string Header(HttpResponseMessage answer, string name) => Assert.Single(answer.Headers.GetValues(name));
}
