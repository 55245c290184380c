using Broker.Tests.Auth;
using Xunit;

namespace Broker.Tests.Operators;

/// <summary>Keys, origins and hosts at the API for operators.</summary>
public sealed class OperatorKeyTests(KeyedSqliteApp app) : IClassFixture<KeyedSqliteApp>
{
    [Fact]
    public async Task A_limited_key_finds_the_runs_of_its_workflow_alone()
    {
        await app.Client.RegisterAsync("admin", TestKeys.Mine, "other");
        var mine = await StartAsync(TestKeys.Mine);
        var other = await StartAsync("other");
        foreach (var query in (string[])["", "?workflow=mine,other", "?status=active", $"?instance={mine},{other}", "?since=1h"])
        {
            var runs = (await app.Client.CallAsync("limited", "GET", $"/api/v1/runs{query}")).Json["items"]!.AsArray();
            Assert.Equal([mine], runs.Select(run => (string)run!["instance"]!));
            Assert.Equal(2, (await app.Client.CallAsync("admin", "GET", $"/api/v1/runs{query}")).Json["items"]!.AsArray().Count);
            Assert.Equal(1, (int)(await app.Client.CallAsync("limited", "GET", $"/api/v1/runs/count{query}")).Json["count"]!);
        }

        Assert.Empty((await app.Client.CallAsync("limited", "GET", "/api/v1/runs?workflow=other")).Json["items"]!.AsArray());
        Assert.Equal(200, (await app.Client.CallAsync("limited", "GET", $"/api/v1/runs/mine/{mine}")).Status);
        var foreign = await app.Client.CallAsync("limited", "GET", $"/api/v1/runs/other/{other}");
        Assert.Equal((404, "not_found"), (foreign.Status, (string)foreign.Json["code"]!));
    }

    [Fact]
    public async Task The_caller_sees_its_own_key()
    {
        var me = (await app.Client.CallAsync("limited", "GET", "/api/v1/me")).Json;
        Assert.Equal(("limited", false), ((string)me["key"]!, (bool)me["anonymous"]!));
        Assert.Equal(["mine"], me["workflows"]!.AsArray().Select(name => (string)name!));
        Assert.Contains("read", me["scopes"]!.AsArray().Select(scope => (string)scope!));
        Assert.Null((await app.Client.CallAsync("worker", "GET", "/api/v1/me")).Json["workflows"]);
    }

    [Theory]
    [InlineData(null, 401, "unauthorized")]
    [InlineData("worker", 403, "forbidden")]
    public async Task A_refusal_is_a_problem_with_a_code(string? key, int status, string code)
    {
        var reply = await app.Client.CallAsync(key, "GET", "/api/v1/runs");
        Assert.Equal((status, "application/problem+json", code), (reply.Status, reply.Type, (string)reply.Json["code"]!));
    }

    private async Task<string> StartAsync(string workflow) =>
        (string)(await app.Client.CallAsync("admin", "POST", $"/workflows/{workflow}/run-nowait", "{}")).Json["handler_id"]!;
}
