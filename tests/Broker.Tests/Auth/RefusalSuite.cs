using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>Accepted keys, and the form in which each dialect refuses a caller.</summary>
public abstract class RefusalSuite(BrokerApp app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/workflow/step?worker_id=w", "application/json", "detail")]
    [InlineData("POST", "/workflow/dispatch", "application/json", "detail")]
    [InlineData("GET", "/api/workflows", "application/json", "error")]
    [InlineData("POST", "/api/jobs/claim", "application/json", "error")]
    [InlineData("POST", "/agents/workflows/x/run", "application/json", "detail")]
    public async Task Without_a_key_the_answer_is_a_401_in_the_dialects_form(string method, string path, string type, string member)
    {
        var reply = await app.Client.CallAsync(null, method, path, method == "POST" ? "{}" : null);

        Assert.Equal((401, type), (reply.Status, reply.Type));
        Assert.Contains("Authorization: Bearer", reply.Json[member]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("Bearer", Assert.Single(reply.Headers.WwwAuthenticate).Scheme);
    }

    [Theory]
    [InlineData("/handlers")]
    [InlineData("/events/x")]
    [InlineData("/workflows")]
    [InlineData("/workflows/x/unknown")]
    public async Task The_handlers_dialect_refuses_in_plain_text(string path)
    {
        var reply = await app.Client.CallAsync(null, "GET", path);
        Assert.Equal((401, "text/plain"), (reply.Status, reply.Type));
        Assert.StartsWith("an API key is required", reply.Text, StringComparison.Ordinal);
    }

    /// <summary>Instances contract 10.</summary>
    [Theory]
    [InlineData("/api/workflows/")]
    [InlineData("/api/workflows/workflows/x/instances")]
    [InlineData("/api/workflows/x/instances/y")]
    [InlineData("/workflows/x/instances")]
    public async Task The_instances_dialect_refuses_with_its_codes(string path)
    {
        var nobody = await app.Client.CallAsync(null, "GET", path);
        Assert.Equal((401, """{"message":"Unauthorized","code":"UNAUTHORIZED"}"""), (nobody.Status, nobody.Text));

        var wrong = await app.Client.CallAsync("sender", "GET", path);
        Assert.Equal((403, """{"message":"Forbidden","code":"FORBIDDEN"}"""), (wrong.Status, wrong.Text));
        Assert.Contains("insufficient_scope", wrong.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/docs/index.html")]
    [InlineData("/openapi.json")]
    [InlineData("/api/v1/audit")]
    [InlineData("/api/nothing")]
    public async Task Paths_without_a_dialect_refuse_with_problem_details(string path)
    {
        var reply = await app.Client.CallAsync(null, "GET", path);
        Assert.Equal((401, "application/problem+json"), (reply.Status, reply.Type));
        Assert.Equal(401, reply.Json["status"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("GET", "/workflow/step?worker_id=w", "detail")]
    [InlineData("POST", "/api/jobs/claim", "error")]
    [InlineData("GET", "/agents/workflows", "detail")]
    public async Task A_key_without_the_scope_is_a_403_that_names_it(string method, string path, string member)
    {
        var reply = await app.Client.CallAsync("manager", method, path);
        Assert.Equal(403, reply.Status);
        Assert.Contains(path.Contains("agents", StringComparison.Ordinal) ? "read" : "worker", reply.Json[member]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reader", "GET", "/handlers", null, 200)]
    [InlineData("reader", "GET", "/api/workflows", null, 200)]
    [InlineData("reader", "GET", "/api/workflows/", null, 200)]
    [InlineData("reader", "GET", "/workers", null, 200)]
    [InlineData("ticker", "POST", "/_runner/tick", null, 200)]
    [InlineData("creator", "POST", "/api/workflows/sample", null, 201)]
    [InlineData("manager", "POST", "/handlers/nobody/cancel", null, 404)]
    [InlineData("sender", "POST", "/events/nobody", "{}", 404)]
    [InlineData("worker", "POST", "/api/jobs/claim", """{"worker_id":"w","labels":["none"]}""", 200)]
    [InlineData("worker", "GET", "/status", null, 200)]
    [InlineData("sender", "GET", "/status", null, 200)]
    [InlineData("admin", "GET", "/handlers", null, 200)]
    [InlineData("admin", "POST", "/_runner/tick", null, 200)]
    [InlineData("admin", "GET", "/api/nothing", null, 404)]
    [InlineData("reader", "GET", "/openapi.json", null, 200)]
    public async Task A_key_with_the_scope_is_let_in(string key, string method, string path, string? body, int status) =>
        Assert.Equal(status, (await app.Client.CallAsync(key, method, path, body)).Status);

    [Theory]
    [InlineData("cloner", true)]
    [InlineData("checkout", true)]
    [InlineData("worker", false)]
    [InlineData("reader", false)]
    [InlineData("admin", false)]
    public async Task Credentials_are_shown_to_keys_with_their_scope_alone(string key, bool shown)
    {
        Assert.Equal(204, (await app.Client.CallAsync(
            "worker", "POST", "/repository/register", """{"name":"cloned","url":"u","workflows":[],"credentials":{"token":"hunter2"}}""")).Status);
        foreach (var path in (string[])["/repository?name=cloned", "/repository"])
        {
            var reply = await app.Client.CallAsync(key, "GET", path);
            Assert.Equal((200, shown), (reply.Status, reply.Text.Contains("hunter2", StringComparison.Ordinal)));
        }
    }

    [Theory]
    [InlineData("/livez")]
    [InlineData("/readyz")]
    [InlineData("/health")]
    [InlineData("/agents/health")]
    public async Task Probes_ask_for_no_key(string path) => Assert.Equal(200, (await app.Client.CallAsync(null, "GET", path)).Status);

    [Theory]
    [InlineData("brk_reader_wrong")]
    [InlineData("brk_nobody_ssssssssssssssssssssssssssssssssssssssss")]
    [InlineData("brk__")]
    public async Task A_wrong_key_is_a_401(string key)
    {
        var reply = await app.Client.CallAsync(key, "GET", "/api/workflows");
        Assert.Equal(401, reply.Status);
        Assert.Contains("invalid_token", reply.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(key, reply.Text, StringComparison.Ordinal);
    }

    /// <summary>Browsers know no other way than a password, and send it by themselves: so only where nothing can be changed.</summary>
    [Theory]
    [InlineData("/docs", 200)]
    [InlineData("/docs/index.html", 200)]
    [InlineData("/broker/docs", 200)]
    [InlineData("/broker/openapi.json", 200)]
    [InlineData("/openapi.json", 200)]
    [InlineData("/api/workflows", 401)]
    public async Task A_password_is_taken_on_the_pages_for_browsers_alone(string path, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{TestKeys.Of("reader")}")));
        using var answer = await app.Client.SendAsync(request, Ct);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_preflight_needs_no_key()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/api/workflows");
        request.Headers.Add("Origin", "https://app.example");
        request.Headers.Add("Access-Control-Request-Headers", "authorization");
        using var answer = await app.Client.SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}

public sealed class PostgresRefusalTests(KeyedPostgresApp app) : RefusalSuite(app), IClassFixture<KeyedPostgresApp>;

public sealed class SqliteRefusalTests(KeyedSqliteApp app) : RefusalSuite(app), IClassFixture<KeyedSqliteApp>;
