using System.Text.Json;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Retries and forks over HTTP (invariant 24).</summary>
public abstract class RerunSuite(BrokerApp app)
{
    private readonly OperatorWire wire = new(app.Client);

    [Fact]
    public async Task A_retry_keeps_what_finished_and_runs_the_rest()
    {
        var (name, worker) = await FailedAsync("retry");
        var plan = await SendAsync(name, "retry", """{"dry_run":true}""");
        Assert.Equal((200, """["a"]""", """["b"]""", false), (plan.Status, Raw(plan, "kept"), Raw(plan, "runs_again"), plan.Json.TryGetProperty("run", out _)));
        var retry = await SendAsync(name, "retry", """{"if_run":0,"reason":"the disk was full"}""");
        Assert.Equal((201, 1), (retry.Status, retry.Json.GetProperty("run").GetInt32()));

        var again = await wire.Wire.MustClaimAsync(worker);
        Assert.Equal("""{"a":"made"}""", again.GetProperty("payload").GetProperty("results").GetRawText());
        await wire.Wire.ReportAsync(worker, again, "SUCCEEDED", "2");
        Assert.Equal("succeeded", Text(await wire.GetAsync($"/runs/{name}/i-1?run=1"), "status"));
        Assert.Equal("failed", Text(await wire.GetAsync($"/runs/{name}/i-1?run=0"), "status"));
        Assert.Equal("retry the disk was full", (await wire.GetAsync($"/audit?workflow={name}&action=retry")).GetProperty("items").EnumerateArray().Select(e => $"{Text(e, "action")} {Text(e, "detail")}").Single());

        Problem(await SendAsync(name, "retry", "{}"), 409, "not_allowed");
        Assert.Equal(201, (await SendAsync(name, "retry", """{"steps":["a"]}""")).Status);
        Problem(await SendAsync(name, "retry", "{}"), 409, "not_allowed");
    }

    [Fact]
    public async Task A_retry_that_cannot_be_is_refused_with_its_place()
    {
        var (name, _) = await FailedAsync("refused");
        Problem(await SendAsync(name, "retry", """{"steps":["a","none"]}"""), 422, "invalid_body");
        Problem(await SendAsync(name, "retry", """{"step":["a"]}"""), 422, "invalid_body");
        Problem(await SendAsync(name, "retry", """{"if_run":3}"""), 409, "other_run");
        Problem(await wire.Wire.PostAsync($"/api/v1/runs/{name}/none/retry", "{}"), 404, "not_found");
        Problem(await SendAsync(name, "fork", """{"from":"none"}"""), 422, "invalid_body");
        Problem(await SendAsync(name, "fork", """{"events":"keep"}"""), 422, "invalid_body");
        Problem(await SendAsync(name, "fork", """{"instance":"a/b"}"""), 422, "invalid_body");
        Problem(await SendAsync(name, "fork?run=7", "{}"), 404, "not_found");
        Assert.Equal("0", Raw(await wire.GetAsync($"/runs/{name}/i-1"), "last_run"));
    }

    [Fact]
    public async Task A_fork_is_another_instance_with_inputs_of_its_own()
    {
        var (name, worker) = await FailedAsync("fork");
        var fork = await SendAsync(name, "fork", """{"instance":"i-2","inputs":{"n":2}}""");
        Assert.Equal((201, "i-2", 0, """["a"]"""), (fork.Status, Text(fork.Json, "instance"), fork.Json.GetProperty("run").GetInt32(), Raw(fork, "kept")));
        Problem(await SendAsync(name, "fork", """{"instance":"i-2"}"""), 409, "already_exists");

        var step = await wire.Wire.MustClaimAsync(worker);
        Assert.Equal("""{"n":2}""", step.GetProperty("payload").GetProperty("workflow_inputs").GetRawText());
        var made = await SendAsync(name, "fork?run=0", """{"from":"a","dry_run":true}""");
        Assert.Equal((200, "[]", """["a","b"]"""), (made.Status, Raw(made, "kept"), Raw(made, "runs_again")));
    }

    // Step a has succeeded and b failed.
    private async Task<(string Name, string Worker)> FailedAsync(string prefix)
    {
        var name = NewName(prefix);
        var worker = await wire.RegisterAsync(name, """{"a":{"successors":{"default":["b"]}},"b":{"predecessors":["a"]}}""");
        await wire.StartAsync(name, "i-1");
        await wire.Wire.ReportAsync(worker, await wire.Wire.MustClaimAsync(worker), "SUCCEEDED", "\"made\"");
        await wire.Wire.ReportAsync(worker, await wire.Wire.MustClaimAsync(worker), "FAILED", "\"no\"");
        return (name, worker);
    }

    private Task<Reply> SendAsync(string name, string action, string body) => wire.Wire.PostAsync($"/api/v1/runs/{name}/i-1/{action}", body);

    private static string Raw(Reply reply, string member) => Raw(reply.Json, member);

    private static string Raw(JsonElement json, string member) => json.GetProperty(member).GetRawText().Replace(" ", "", StringComparison.Ordinal);
}

public sealed class PostgresRerunTests(PostgresApp app) : RerunSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteRerunTests(SqliteApp app) : RerunSuite(app), IClassFixture<SqliteApp>;
