using System.Text.Json;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Steps that are ended, hastened or released by hand, over HTTP (invariant 27).</summary>
public abstract class HandSuite(BrokerApp app)
{
    private const string Steps = """{"a":{"retry_policy":{"max_retries":3,"backoff":{"Fixed":{"delay_secs":3600}}},"successors":{"default":["b"],"left":["c"]}},"b":{"predecessors":["a"]},"c":{"predecessors":["a"]}}""";

    private readonly OperatorWire wire = new(app.Client);

    [Fact]
    public async Task A_step_that_is_completed_by_hand_fences_its_worker_out_and_leads_on()
    {
        var name = NewName("hand");
        var worker = await wire.RegisterAsync(name, Steps);
        await wire.StartAsync(name, "i-1");
        var held = await wire.Wire.MustClaimAsync(worker);
        var done = await HandAsync(name, "a", "complete", """{"value":"left","reason":"seen on the screen"}""");
        Assert.Equal((200, "succeeded", "\"left\""), (done.Status, Text(done.Json, "status"), done.Json.GetProperty("output").GetRawText()));
        Assert.Equal(204, (await wire.Wire.ReportAsync(worker, held, "FAILED", "\"late\"")).Status);
        await wire.Wire.RunAsync(worker, "c");
        Assert.Equal("succeeded", Text(await wire.GetAsync($"/runs/{name}/i-1"), "status"));
        Assert.Equal("a: seen on the screen", Text((await wire.GetAsync($"/audit?workflow={name}&action=complete_step")).GetProperty("items")[0], "detail"));
        Assert.Equal("succeeded", Text(Problem(await HandAsync(name, "a", "complete", """{"reason":"again"}"""), 409, "not_allowed"), "run_status"));
    }

    [Fact]
    public async Task A_step_is_failed_for_good_or_skipped()
    {
        var name = NewName("hand-end");
        await wire.RegisterAsync(name, Steps);
        await wire.StartAsync(name, "i-1");
        var failed = await HandAsync(name, "a", "fail", """{"name":"NoDisk","reason":"it never comes back"}""");
        Assert.Equal((200, "failed", "NoDisk", "it never comes back"), (failed.Status, Text(failed.Json, "status"), Text(failed.Json.GetProperty("error"), "name"), Text(failed.Json.GetProperty("error"), "message")));
        Assert.Equal("failed", Text(await wire.GetAsync($"/runs/{name}/i-1"), "status"));
        await wire.Wire.PostAsync($"/api/v1/runs/{name}/i-1/restart", "");
        Assert.Equal("skipped", Text((await HandAsync(name, "a", "skip", """{"reason":"not needed today"}""")).Json, "status"));
        Assert.Equal("ready", Text(await wire.GetAsync($"/runs/{name}/i-1/steps/b"), "status"));
        Problem(await HandAsync(name, "a", "skip", """{"reason":"again"}"""), 409, "not_allowed");
        Problem(await HandAsync(name, "c", "skip", """{"reason":"not reached"}"""), 409, "not_allowed");
    }

    [Fact]
    public async Task A_delayed_step_runs_now_and_a_held_one_is_released_without_a_charge()
    {
        var name = NewName("hand-now");
        var worker = await wire.RegisterAsync(name, Steps);
        await wire.StartAsync(name, "i-1");
        var first = await wire.Wire.MustClaimAsync(worker);
        Problem(await HandAsync(name, "a", "retry-now", """{"reason":"hurry"}"""), 409, "not_allowed");
        var released = await HandAsync(name, "a", "release", """{"reason":"the machine hangs"}""");
        Assert.Equal((200, "ready", 0, 0), (released.Status, Text(released.Json, "status"), released.Json.GetProperty("attempt").GetInt32(), released.Json.GetProperty("losses").GetInt32()));
        Assert.Equal(204, (await wire.Wire.ReportAsync(worker, first, "SUCCEEDED")).Status);
        Assert.Equal("ready", Text(await wire.GetAsync($"/runs/{name}/i-1/steps/a"), "status"));
        Problem(await HandAsync(name, "a", "release", """{"reason":"again"}"""), 409, "not_allowed");

        await wire.Wire.RunAsync(worker, "a", "FAILED", "\"no\"");
        Assert.Null(await wire.Wire.ClaimAsync(worker));
        var hastened = await HandAsync(name, "a", "retry-now", """{"reason":"the mirror is back"}""");
        Assert.Equal((200, 1), (hastened.Status, hastened.Json.GetProperty("attempt").GetInt32()));
        await wire.Wire.RunAsync(worker, "a");
    }

    [Fact]
    public async Task The_value_of_a_wait_is_that_of_its_event_and_reasons_are_required()
    {
        var name = NewName("hand-wait");
        var reply = await wire.Wire.PostAsync("/worker/register", $$$"""
            [{"workflow_id":"{{{name}}}","version":"1","events":{"go":{"schema":{"type":"object","required":["ok"],"properties":{"ok":{"type":"boolean"} } } } },
              "steps":{"gate":{"kind":"waitForEvent","event":"go"} } }]
            """);
        Assert.Equal(200, reply.Status);
        await wire.StartAsync(name, "i-1");
        Assert.Equal("/value/ok", Text(Problem(await HandAsync(name, "gate", "complete", """{"value":{"ok":1},"reason":"by telephone"}"""), 422, "invalid_event"), "place"));
        foreach (var action in (string[])["complete", "fail", "skip", "retry-now", "release"])
        {
            Assert.Equal("/reason", Text(Problem(await HandAsync(name, "gate", action, "{}"), 422, "invalid_body"), "place"));
            Assert.Equal("/why", Text(Problem(await HandAsync(name, "gate", action, """{"why":"x"}"""), 422, "invalid_body"), "place"));
            Problem(await HandAsync(name, "absent", action, """{"reason":"x"}"""), 404, "not_found");
        }

        var done = await HandAsync(name, "gate", "complete", """{"value":{"ok":true},"reason":"by telephone"}""");
        Assert.Equal((200, "succeeded"), (done.Status, Text(done.Json, "status")));
        Assert.True(JsonElement.Parse(done.Json.GetProperty("output").GetRawText()).GetProperty("payload").GetProperty("ok").GetBoolean());
    }

    private Task<Reply> HandAsync(string name, string step, string action, string body) => wire.Wire.PostAsync($"/api/v1/runs/{name}/i-1/steps/{step}/{action}", body);
}

public sealed class PostgresHandTests(PostgresApp app) : HandSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteHandTests(SqliteApp app) : HandSuite(app), IClassFixture<SqliteApp>;
