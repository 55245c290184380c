using System.Net;
using System.Text.Json;
using Broker.Auth;
using Broker.Storage.Contracts;
using Broker.Tests.App;
using Broker.Tests.Auth;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Console;

/// <summary>The console of a broker that asks for keys.</summary>
public abstract class SignInSuite(BrokerApp app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_leads_to_the_sign_in_and_the_key_back_to_the_page()
    {
        using var browser = new Browser(app.Client.BaseAddress!);
        var refused = await browser.GetAsync("/ui/runs?where=status%3Dfailed");
        Assert.Equal((HttpStatusCode.SeeOther, "/ui/login?to=%2Fui%2Fruns%3Fwhere%3Dstatus%253Dfailed"), (refused.Status, refused.Location));
        Assert.Contains("name=\"key\"", (await browser.GetAsync(refused.Location!)).Body, StringComparison.Ordinal);

        var wrong = await browser.PostAsync(refused.Location!, ("key", "brk_reader_wrong"));
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.Status);
        Assert.Null(wrong.Cookie);

        var entered = await browser.PostAsync(refused.Location!, ("key", TestKeys.Of("reader")));
        Assert.Equal((HttpStatusCode.SeeOther, "/ui/runs?where=status%3Dfailed"), (entered.Status, entered.Location));
        foreach (var part in (string[])["httponly", "samesite=strict", "path=/"]) Assert.Contains(part, entered.Cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(TestKeys.Of("reader"), entered.Cookie, StringComparison.Ordinal);
        var page = await browser.GetAsync(entered.Location!);
        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Contains("reader", page.Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/me")).Status);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/docs")]
    [InlineData("/ui/\\evil.example")]
    public async Task The_sign_in_leads_to_no_other_address(string to)
    {
        using var browser = new Browser(app.Client.BaseAddress!);
        var entered = await browser.PostAsync($"/ui/login?to={Uri.EscapeDataString(to)}", ("key", TestKeys.Of("reader")));
        Assert.Equal((HttpStatusCode.SeeOther, "/ui/"), (entered.Status, entered.Location));
    }

    [Fact]
    public async Task The_cookie_opens_no_route_of_a_dialect()
    {
        using var browser = await SignedInAsync("admin");
        foreach (var path in (string[])["/api/workflows", "/workflows", "/handlers", "/status", "/docs", "/metrics", "/openapi.json", "/api/workflow-files"])
            Assert.Equal((path, HttpStatusCode.Unauthorized), (path, (await browser.GetAsync(path)).Status));
    }

    [Fact]
    public async Task An_admin_lists_the_sessions_and_ends_one_of_them()
    {
        using var reader = await SignedInAsync("reader");
        using var admin = await SignedInAsync("admin");
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.GetAsync("/api/v1/sessions")).Status);
        var sessions = JsonElement.Parse((await admin.GetAsync("/api/v1/sessions")).Body).GetProperty("items").EnumerateArray().ToList();
        var ended = sessions.Find(session => session.GetProperty("key").GetString() == "reader").GetProperty("id").GetString();
        Assert.Contains(sessions, session => session.GetProperty("key").GetString() == "admin");
        Assert.Equal(HttpStatusCode.OK, (await admin.SendAsync(HttpMethod.Delete, $"/api/v1/sessions/{ended}", admin.Own, null)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.SendAsync(HttpMethod.Delete, $"/api/v1/sessions/{ended}", admin.Own, null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await reader.GetAsync("/api/v1/me")).Status);
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/api/v1/me")).Status);
    }

    [Fact]
    public async Task A_session_has_the_scopes_of_its_key()
    {
        using var reader = await SignedInAsync("reader");
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.GetAsync("/ui/audit")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.PostAsync("/ui/runs/x/y/pause")).Status);
        using var limited = await SignedInAsync("limited");
        Assert.Contains("This key reaches only mine", (await limited.GetAsync("/ui/workflows")).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await limited.GetAsync("/ui/workflows/other")).Status);
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData(null, null)]
    public async Task A_form_of_another_page_does_nothing_with_the_cookie(string? header, string? value)
    {
        using var browser = await SignedInAsync("admin");
        foreach (var path in (string[])["/ui/workflows/x/runs", "/api/v1/workflows/x/runs", "/ui/runs/x/y/delete", "/ui/logout", "/ui/login"])
            Assert.Equal((path, HttpStatusCode.Forbidden), (path, (await browser.SendAsync(HttpMethod.Post, path, header is null ? [] : [(header, value!)], [("key", TestKeys.Of("admin"))])).Status));
    }

    [Fact]
    public async Task A_session_ends_with_the_sign_out_and_with_its_key()
    {
        using var browser = await SignedInAsync("reader");
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.PostAsync("/ui/logout")).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/ui/")).Status);

        var keys = app.Services.GetRequiredService<IKeyStore>();
        var (id, key) = ApiKey.Create();
        await keys.AddAsync(new(id, "brief", ApiKey.HashOf(key), ["read"], null, default, null, null), "command-line", Ct);
        await app.Services.GetRequiredService<ApiKeyCache>().RefreshAsync(Ct);
        using var other = new Browser(app.Client.BaseAddress!);
        Assert.Equal(HttpStatusCode.SeeOther, (await other.PostAsync("/ui/login", ("key", key))).Status);
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/ui/")).Status);
        await keys.RevokeAsync(id, "command-line", Ct);
        await app.Services.GetRequiredService<ApiKeyCache>().RefreshAsync(Ct);
        Assert.Equal(HttpStatusCode.SeeOther, (await other.GetAsync("/ui/")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync("/api/v1/me")).Status);
    }

    private async Task<Browser> SignedInAsync(string key)
    {
        var browser = new Browser(app.Client.BaseAddress!);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.PostAsync("/ui/login", ("key", TestKeys.Of(key)))).Status);
        return browser;
    }

    /// <summary>Keeps cookies, follows no redirect, and says where its forms come from, as a browser does.</summary>
    private sealed class Browser(Uri address) : IDisposable
    {
        private readonly HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new() }) { BaseAddress = address };

        /// <summary>Headers of a page of the console.</summary>
        public IReadOnlyList<(string Name, string Value)> Own => [("Origin", address.GetLeftPart(UriPartial.Authority))];

        public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, [], null);

        public Task<Answer> PostAsync(string path, params (string Name, string Value)[] fields) => SendAsync(HttpMethod.Post, path, Own, fields);

        public async Task<Answer> SendAsync(HttpMethod method, string path, IReadOnlyList<(string Name, string Value)> headers, IReadOnlyList<(string Name, string Value)>? fields)
        {
            using var request = new HttpRequestMessage(method, path);
            foreach (var (name, value) in headers) request.Headers.Add(name, value);
            if (fields is not null) request.Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
            using var answer = await client.SendAsync(request, Ct);
            return new(
                answer.StatusCode, answer.Headers.Location?.OriginalString, answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? string.Join('\n', cookies) : null,
                await answer.Content.ReadAsStringAsync(Ct));
        }

        public void Dispose() => client.Dispose();
    }

    private sealed record Answer(HttpStatusCode Status, string? Location, string? Cookie, string Body);
}

public sealed class PostgresSignInTests(KeyedPostgresApp app) : SignInSuite(app), IClassFixture<KeyedPostgresApp>;

public sealed class SqliteSignInTests(KeyedSqliteApp app) : SignInSuite(app), IClassFixture<KeyedSqliteApp>;
