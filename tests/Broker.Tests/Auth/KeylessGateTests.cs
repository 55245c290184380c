using System.Net.Sockets;
using System.Text;
using Broker.Tests.App;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>A broker without keys: web pages of other sites may read, and neither write nor claim.</summary>
public sealed class KeylessGateTests(SqliteApp app) : IClassFixture<SqliteApp>
{
    private const string Evil = "https://evil.example";
    private const string Workflow = """{"name":"evil","trigger":"","jobs":[]}""";
    private const string Dispatch = """{"workflow":{"workflow_id":"evil","version":"1","steps":{"x":{"command":"id"}}},"inputs":{}}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Own => app.Address.GetLeftPart(UriPartial.Authority);

    public static TheoryData<string, string> Writes() => new()
    {
        { "POST", "/api/workflows" }, { "POST", "//api/workflows" }, { "POST", "/api/workflows/ci/run" }, { "POST", "/api/workflows/ci/cancel" },
        { "POST", "/api/jobs/claim" }, { "POST", "/api/jobs/complete" }, { "POST", "/api/jobs/x/logs" }, { "POST", "/api/workers/register" },
        { "POST", "/workflow/dispatch" }, { "POST", "/workflow/step?worker_id=w" }, { "POST", "/worker/register" }, { "POST", "/repository/register" },
        { "POST", "/workflows/ci/run" }, { "POST", "/workflows/ci/run-nowait" }, { "POST", "/agents/workflows/ci/run-nowait" }, { "POST", "/handlers/h/cancel" },
        { "POST", "/events/h" }, { "POST", "/api/workflows/ci/instances" }, { "POST", "/workflows/ci/instances/i/terminate" }, { "POST", "/_runner/tick" },
        { "DELETE", "/api/workflows/ci" }, { "PUT", "/handlers/h" }, { "PATCH", "/nowhere" },
        { "GET", "/workflow/step?worker_id=w" }, { "GET", "//workflow/step?worker_id=w" }, { "GET", "/workflow/step?worker_id=w&count=2" },
        { "GET", "/repository?name=r" }, { "GET", "/events/h" }, { "GET", "/events/h?sse=false" },
    };

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task Pages_of_other_sites_neither_write_nor_claim(string method, string path)
    {
        foreach (var headers in (string[][])[["Origin", Evil], ["Origin", "null"], ["Sec-Fetch-Site", "cross-site"], ["Sec-Fetch-Site", "same-site"], ["Referer", Evil]])
        {
            var reply = await SendAsync(method, path, Workflow, headers);
            Assert.True(reply.Status == 403, $"{headers[1]}: {reply.Status} {reply.Text}");
            Assert.Contains("CORS_ORIGINS", reply.Text, StringComparison.Ordinal);
            Assert.Contains("broker keys create", reply.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task The_brokers_own_pages_and_clients_that_are_no_browsers_are_not_refused(string method, string path)
    {
        Assert.NotEqual(403, (await SendAsync(method, path, "{}")).Status);
        Assert.NotEqual(403, (await SendAsync(method, path, "{}", "Origin", Own, "Sec-Fetch-Site", "same-origin", "Referer", $"{Own}/docs")).Status);
    }

    [Fact]
    public async Task Every_route_that_changes_something_refuses_them()
    {
        var taken = new List<string>();
        foreach (var route in app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            foreach (var method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [])
            {
                if (method is "GET" or "HEAD" or "OPTIONS") continue;
                var path = "/" + System.Text.RegularExpressions.Regex.Replace(route.RoutePattern.RawText!, @"\{[^}]*\}", "x").TrimStart('/');
                var reply = await SendAsync(method, path, "{}", "Origin", Evil);
                if (reply.Status != 403) taken.Add($"{method} {path}: {reply.Status}");
            }
        }

        Assert.Empty(taken);
    }

    [Theory]
    [InlineData("/workflows")]
    [InlineData("/handlers")]
    [InlineData("/status")]
    [InlineData("/api/workflows")]
    [InlineData("/api/workflows/workflows")]
    [InlineData("/openapi.json")]
    [InlineData("/health")]
    public async Task A_page_of_another_origin_may_read(string path)
    {
        var reply = await SendAsync("GET", path, null, "Origin", Evil, "Sec-Fetch-Site", "cross-site");
        Assert.Equal(200, reply.Status);
        Assert.True(reply.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Preflights_and_reading_with_a_cursor_are_answered_as_before()
    {
        Assert.Equal(200, (await SendAsync("OPTIONS", "/api/workflows", null, "Origin", Evil, "Access-Control-Request-Method", "POST")).Status);
        Assert.Equal(404, (await SendAsync("GET", "/events/none?after_sequence=now", null, "Origin", Evil)).Status);
        Assert.Equal(404, (await SendAsync("GET", "/agents/events/none", null, "Origin", Evil)).Status);
    }

    [Theory]
    [InlineData("/workflow/dispatch", "application/json", "detail")]
    [InlineData("/api/workflows", "application/json", "error")]
    [InlineData("/agents/workflows/x/run", "application/json", "detail")]
    [InlineData("/workflows/x/run", "text/plain", null)]
    [InlineData("/api/workflows/x/instances", "application/json", "message")]
    [InlineData("/nowhere", "application/problem+json", "detail")]
    public async Task The_refusal_has_the_form_of_the_dialect(string path, string type, string? member)
    {
        foreach (var headers in (string[][])[["Origin", Evil], ["Host", "rebind.example:3000"]])
        {
            var reply = await SendAsync("POST", path, "{}", headers);
            Assert.Equal((403, type), (reply.Status, reply.Type));
            Assert.Contains("broker keys create", member is null ? reply.Text : reply.Json[member]!.GetValue<string>(), StringComparison.Ordinal);
            if (member == "message") Assert.Equal("FORBIDDEN", reply.Json["code"]!.GetValue<string>());
        }
    }

    [Theory]
    [InlineData("rebind.example")]
    [InlineData("rebind.example:3000")]
    [InlineData("localhost.rebind.example:3000")]
    public async Task Names_that_are_not_the_brokers_are_refused_on_every_route(string host)
    {
        foreach (var path in (string[])["/workflows", "/handlers", "/api/workflows", "/status", "/docs/index.html", "/", "/livez", "/nowhere", "/openapi.json"])
        {
            var reply = await SendAsync("GET", path, null, "Host", host);
            Assert.True(reply.Status == 403, $"{path}: {reply.Status}");
            Assert.Contains("Broker:AllowedHosts", reply.Text, StringComparison.Ordinal);
        }

        // The page behind such a name is of the same origin as what it calls.
        Assert.Equal(403, (await SendAsync("POST", "/api/workflows", Workflow, "Host", host, "Origin", $"http://{host}", "Sec-Fetch-Site", "same-origin")).Status);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("localhost:3000")]
    [InlineData("127.0.0.1:3000")]
    [InlineData("[::1]:3000")]
    [InlineData("LOCALHOST.:3000")]
    public async Task The_brokers_own_page_may_write_under_each_of_its_names(string host)
    {
        Assert.Equal(200, (await SendAsync("GET", "/workflows", null, "Host", host)).Status);
        Assert.Equal(201, (await SendAsync("POST", "/api/workflows", Workflow, "Host", host, "Origin", $"http://{host.ToLowerInvariant()}")).Status);
    }

    [Theory]
    [InlineData("GET http://127.0.0.1:{0}/workflows HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\n", 200)]
    [InlineData("GET http://rebind.example/workflows HTTP/1.1\r\nHost: rebind.example\r\n", 403)]
    [InlineData("GET http://rebind.example/workflows HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\n", 400)]
    [InlineData("GET http://rebind.example/workflows HTTP/1.0\r\n", 403)]
    [InlineData("GET http://rebind.example/workflows HTTP/1.0\r\nHost: 127.0.0.1:{0}\r\n", 400)]
    [InlineData("GET /workflows HTTP/1.0\r\n", 200)]
    [InlineData("GET /workflows HTTP/1.1\r\nHost:\r\n", 403)]
    [InlineData("GET /workflows HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\nHost: rebind.example\r\n", 400)]
    [InlineData("POST http://127.0.0.1:{0}/api/workflows/none/run HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\nOrigin: http://127.0.0.1:{0}\r\nContent-Length: 0\r\n", 404)]
    [InlineData("POST http://127.0.0.1:{0}/api/workflows/none/run HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n", 403)]
    [InlineData("POST /api/workflows/none/run HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\nOrigin: http://127.0.0.1:{0}\r\nOrigin: http://127.0.0.1:{0}\r\nContent-Length: 0\r\n", 404)]
    [InlineData("POST /api/workflows/none/run HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\nOrigin: http://127.0.0.1:{0}\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n", 403)]
    [InlineData("POST /api/workflows/none/run HTTP/1.1\r\nHost: 127.0.0.1:{0}\r\nOrigin:\r\nContent-Length: 0\r\n", 403)]
    public async Task Requests_that_no_http_client_here_writes_are_judged_alike(string head, int status)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(app.Address.Host, app.Address.Port, Ct);
        var text = head.Replace("{0}", app.Address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{text}Connection: close\r\n\r\n"), Ct);
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        Assert.Equal($"{status}", (await reader.ReadLineAsync(Ct))!.Split(' ')[1]);
    }

    [Fact]
    public async Task Listed_origins_may_write_where_the_host_is_the_brokers()
    {
        await using var broker = await OwnBroker.StartAsync("--CORS_ORIGINS=https://page.example", "--Broker:AllowedHosts=broker.example");
        Assert.Equal(201, (await SendAsync("POST", "/api/workflows", Workflow, broker.Client, "Origin", "https://page.example", "Sec-Fetch-Site", "cross-site")).Status);
        Assert.Equal(201, (await SendAsync("POST", "/api/workflows", Workflow, broker.Client, "Origin", "https://page.example", "Host", "broker.example")).Status);
        Assert.Equal(403, (await SendAsync("POST", "/api/workflows", Workflow, broker.Client, "Origin", "https://page.example", "Host", "rebind.example")).Status);
        Assert.Equal(403, (await SendAsync("POST", "/api/workflows", Workflow, broker.Client, "Origin", Evil)).Status);
    }

    [Fact]
    public async Task A_star_opens_writes_to_every_page()
    {
        await using var broker = await OwnBroker.StartAsync("--CORS_ORIGINS=*");
        Assert.Equal(200, (await SendAsync("POST", "/workflow/dispatch", Dispatch, broker.Client, "Origin", Evil, "Sec-Fetch-Site", "cross-site")).Status);
        Assert.Equal(201, (await SendAsync("POST", "/api/workflows", Workflow, broker.Client, "Origin", "null")).Status);
        Assert.Equal(403, (await SendAsync("POST", "/api/workflows", Workflow, broker.Client, "Host", "rebind.example")).Status);
    }

    [Fact]
    public async Task With_keys_the_key_alone_decides()
    {
        await using var broker = await OwnBroker.StartAsync(TestKeys.Settings);
        var headers = (string[])["Origin", Evil, "Sec-Fetch-Site", "cross-site", "Host", "any.example"];
        Assert.Equal(401, (await SendAsync("POST", "/api/workflows", Workflow, broker.Client, headers)).Status);
        Assert.Equal(201, (await SendAsync("POST", "/api/workflows", Workflow, broker.Client, [.. headers, "Authorization", $"Bearer {TestKeys.Of("creator")}"])).Status);
    }

    private Task<Reply> SendAsync(string method, string path, string? body, params string[] headers) => SendAsync(method, path, body, app.Client, headers);

    private static async Task<Reply> SendAsync(string method, string path, string? body, HttpClient client, params string[] headers)
    {
        var address = new Uri($"{client.BaseAddress!.GetLeftPart(UriPartial.Authority)}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(method), address);

        // As text, which a page can send without a preflight.
        if (body is not null && method != "GET") request.Content = new StringContent(body, Encoding.UTF8, path.Contains("dispatch", StringComparison.Ordinal) ? "application/json" : "text/plain");
        foreach (var pair in headers.Chunk(2)) Assert.True(request.Headers.TryAddWithoutValidation(pair[0], pair[1]));
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        var isStream = answer.Content.Headers.ContentType?.MediaType == "text/event-stream";
        return new((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, isStream ? "" : await answer.Content.ReadAsStringAsync(Ct), answer.Headers);
    }
}
