using Broker.Auth;
using Broker.Tests.Auth;
using Xunit;

namespace Broker.Tests.Operators;

/// <summary>Keys made by the API for operators, and actions of limited keys on many runs.</summary>
public sealed class OperatorKeyActionTests(KeyedSqliteApp app) : IClassFixture<KeyedSqliteApp>
{
    [Fact]
    public async Task A_key_is_shown_once_and_counts_until_it_is_revoked()
    {
        var made = await app.Client.CallAsync("admin", "POST", "/api/v1/keys", """{"name":"night","scopes":["read","manage"],"workflows":["mine"]}""");
        Assert.Equal(201, made.Status);
        var (text, id) = ((string)made.Json["key"]!, (string)made.Json["info"]!["id"]!);
        var me = await MeAsync(text);
        Assert.Equal(200, (int)me.StatusCode);
        var listed = await app.Client.CallAsync("admin", "GET", "/api/v1/keys");
        Assert.DoesNotContain(text, listed.Json.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("night", (string)listed.Json["items"]!.AsArray().Single(key => (string)key!["id"]! == id)!["name"]!);

        Assert.Equal(200, (await app.Client.CallAsync("admin", "DELETE", $"/api/v1/keys/{id}")).Status);
        Assert.Equal(401, (int)(await MeAsync(text)).StatusCode);
        Assert.Equal(409, (await app.Client.CallAsync("admin", "DELETE", $"/api/v1/keys/{id}")).Status);
        Assert.Equal(404, (await app.Client.CallAsync("admin", "DELETE", "/api/v1/keys/absent")).Status);
        foreach (var body in (string[])["""{"scopes":["read"]}""", """{"name":"a","scopes":[]}""", """{"name":"a","scopes":["all"]}""", """{"name":"a","scopes":["read"],"workflows":[]}""", """{"name":"a","scopes":["read"],"key":"b"}"""])
            Assert.Equal(422, (await app.Client.CallAsync("admin", "POST", "/api/v1/keys", body)).Status);
        Assert.Equal("missing_scope", (string)(await app.Client.CallAsync("admin", "POST", "/api/v1/keys", """{"name":"a","scopes":["credentials"]}""")).Json["code"]!);
    }

    [Fact]
    public async Task A_limited_key_acts_on_runs_of_its_workflow_alone()
    {
        await app.Client.RegisterAsync("admin", TestKeys.Mine, "other");
        await StartAsync(TestKeys.Mine);
        await StartAsync("other");
        var plan = await app.Client.CallAsync("limited", "POST", "/api/v1/bulk", """{"action":"pause","where":"status=active"}""");
        Assert.Equal(200, plan.Status);
        Assert.Equal([TestKeys.Mine], plan.Json["by_workflow"]!.AsArray().Select(count => (string)count!["key"]!));
        Assert.Equal(403, (await app.Client.CallAsync(TestKeys.Without(Scope.Delete), "POST", "/api/v1/bulk", """{"action":"delete","where":"status=active"}""")).Status);
        var all = await app.Client.CallAsync("admin", "POST", "/api/v1/bulk", """{"action":"pause","where":"status=active"}""");
        Assert.Equal(404, (await app.Client.CallAsync("limited", "GET", $"/api/v1/bulk/{all.Json["id"]}")).Status);
        Assert.Equal(404, (await app.Client.CallAsync("limited", "POST", "/api/v1/workflows/other/pause-starts", "")).Status);
    }

    private async Task<HttpResponseMessage> MeAsync(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/me");
        request.Headers.Authorization = new("Bearer", key);
        return await app.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private async Task<string> StartAsync(string workflow) =>
        (string)(await app.Client.CallAsync("admin", "POST", $"/workflows/{workflow}/run-nowait", "{}")).Json["handler_id"]!;
}
