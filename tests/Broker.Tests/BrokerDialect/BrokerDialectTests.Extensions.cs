using System.Text.Json;
using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>Extensions that a worker may ask for beyond the broker contract; stock workers never meet them.</summary>
public abstract partial class BrokerDialectTests
{
    [Fact]
    public async Task A_count_claims_many_at_once_and_answers_with_an_array()
    {
        var schema = Flows.Diamond(Flows.NewName("many"));
        var worker = await Wire.RegisterAsync(schema);
        for (var i = 0; i < 3; i++) await Wire.DispatchAsync(schema);

        Assert.Equal(4, (await Wire.MustClaimAsync(worker, "&count=4")).GetArrayLength());
        Assert.Equal(2, (await Wire.MustClaimAsync(worker, "&count=1000")).GetArrayLength());
        Assert.Equal(new Reply(200, "application/json", "[]"), await Wire.GetAsync($"/workflow/step?worker_id={worker}&count=1"));
    }

    [Fact]
    public async Task A_claim_that_waits_gets_what_is_dispatched_meanwhile()
    {
        var schema = Flows.Single(Flows.NewName("held"));
        var worker = await Wire.RegisterAsync(schema);

        var held = Wire.ClaimAsync(worker, "&wait=20");
        var instance = await Wire.DispatchAsync(schema);

        Assert.Equal(instance, (await held)!.Value.GetProperty("instance_id").GetString());
    }

    [Fact]
    public async Task A_wait_that_finds_nothing_ends_with_204()
    {
        var worker = await Wire.RegisterAsync(Flows.Single(Flows.NewName("in-vain")));

        Assert.Equal(204, (await Wire.GetAsync($"/workflow/step?worker_id={worker}&wait=0.2")).Status);
    }

    [Theory]
    [InlineData("wait=-1")]
    [InlineData("wait=61")]
    [InlineData("wait=NaN")]
    [InlineData("wait=soon")]
    [InlineData("wait=")]
    [InlineData("count=0")]
    [InlineData("count=1001")]
    [InlineData("count=1.5")]
    [InlineData("count=99999999999999999999")]
    [InlineData("extras=perhaps")]
    [InlineData("labels=a%00b")]
    public async Task A_wrong_query_is_400_and_names_the_parameter(string query)
    {
        var worker = await Wire.RegisterAsync();

        var reply = await Wire.GetAsync($"/workflow/step?worker_id={worker}&{query}");

        Assert.Equal(400, reply.Status);
        Assert.StartsWith(query[..query.IndexOf('=', StringComparison.Ordinal)], reply.Json.GetProperty("detail").GetString()!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Labels_decide_who_gets_a_step_that_requires_them()
    {
        var schema = Flows.Single(Flows.NewName("labels"), more: ""","required_labels":["gpu","big"]""");
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);

        Assert.Null(await Wire.ClaimAsync(worker));
        Assert.Null(await Wire.ClaimAsync(worker, "&labels=gpu"));
        Assert.NotNull(await Wire.ClaimAsync(worker, "&labels=big,%20gpu,spare"));
    }

    [Fact]
    public async Task Extras_come_only_when_they_are_asked_for()
    {
        var schema = Flows.Single(Flows.NewName("extras"), "7");
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);

        var step = await Wire.MustClaimAsync(worker, "&extras=true");

        Assert.Equal(
            ["workflow_id", "instance_id", "step_name", "payload", "assigned_at", "expires_at", "version", "lease_id", "lease_secs", "attempt"], step.Keys());
        Assert.Equal(["workflow_inputs", "results", "context"], step.GetProperty("payload").Keys());
        Assert.Equal(("7", 60, 0), (step.GetProperty("version").GetString(), step.GetProperty("lease_secs").GetInt32(), step.GetProperty("attempt").GetInt32()));
        Assert.True(step.GetProperty("lease_id").TryGetGuid(out _));
    }

    [Fact]
    public async Task A_report_may_replace_the_context_of_the_run()
    {
        var schema = Flows.Chain(Flows.NewName("context"), 2);
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);
        var step = await Wire.MustClaimAsync(worker);
        await Wire.ReportAsync(worker, step, "SUCCEEDED", more: ""","context":{"seen": 1.0},"events":[{"type":"Progress"}],"logs":[{"message":"done"}]""");

        var next = await Wire.MustClaimAsync(worker, "&extras=1");

        Assert.Equal("""{"seen": 1.0}""", next.GetProperty("payload").GetProperty("context").GetRawText());
    }

    [Fact]
    public async Task An_array_of_reports_is_answered_with_a_verdict_each()
    {
        var name = Flows.NewName("batch");
        var worker = await Wire.RegisterAsync(Flows.Single(name));
        var (first, second) = (await Wire.DispatchAsync(Flows.Single(name)), await Wire.DispatchAsync(Flows.Single(name)));
        var steps = (await Wire.MustClaimAsync(worker, "&count=1")).EnumerateArray().ToList();
        var good = Wire.Report(steps[0], "SUCCEEDED", "1");

        var reply = await Wire.PostAsync(
            $"/workflow/step?worker_id={worker}",
            $"[{good},{good.Replace(first, second, StringComparison.Ordinal)},{good.Replace("step0", "step9", StringComparison.Ordinal)},{good.Replace(first, "gone", StringComparison.Ordinal)}]");

        Assert.Equal((200, "application/json"), (reply.Status, reply.ContentType));
        Assert.Equal(
            $$"""
            [{"workflow_id":"{{name}}","instance_id":"{{first}}","step_name":"step0","accepted":true,"verdict":"accepted"},
            {"workflow_id":"{{name}}","instance_id":"{{second}}","step_name":"step0","accepted":false,"verdict":"stale"},
            {"workflow_id":"{{name}}","instance_id":"{{first}}","step_name":"step9","accepted":false,"verdict":"unknown_step"},
            {"workflow_id":"{{name}}","instance_id":"gone","step_name":"step0","accepted":false,"verdict":"unknown_instance"}]
            """.ReplaceLineEndings(""),
            reply.Body);
        Assert.Equal(new Reply(200, "application/json", "[]"), await Wire.PostAsync($"/workflow/step?worker_id={worker}", "[]"));
    }

    [Fact]
    public async Task One_malformed_report_refuses_the_whole_array()
    {
        var schema = Flows.Single(Flows.NewName("all"));
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);
        var step = await Wire.MustClaimAsync(worker);

        var reply = await Wire.PostAsync($"/workflow/step?worker_id={worker}", $"[{Wire.Report(step, "SUCCEEDED")},{Wire.Report(step, "DONE")},4]");

        Assert.Equal(422, reply.Status);
        Assert.Equal(["[1].state", "[2]"], reply.Json.GetProperty("problems").EnumerateArray().Select(p => p.GetProperty("path").GetString()!));
        Assert.Equal("accepted", (await ReportOneAsync(worker, step)).GetProperty("verdict").GetString());
    }

    [Fact]
    public async Task A_report_may_claim_what_comes_next()
    {
        var schema = Flows.Chain(Flows.NewName("next"), 3);
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);
        var step = await Wire.MustClaimAsync(worker);

        var reply = await Wire.PostAsync($"/workflow/step?worker_id={worker}&claim=5&wait=1", Wire.Report(step, "SUCCEEDED", "1"));

        Assert.Equal(200, reply.Status);
        Assert.Equal(["results", "assignments"], reply.Json.Keys());
        Assert.True(reply.Json.GetProperty("results")[0].GetProperty("accepted").GetBoolean());
        var next = Assert.Single(reply.Json.GetProperty("assignments").EnumerateArray());
        Assert.Equal("step1", next.GetProperty("step_name").GetString());
        Assert.Equal("""{"step0":1}""", next.Results().GetRawText());
    }

    [Fact]
    public async Task A_heartbeat_renews_what_the_worker_holds()
    {
        var schema = Flows.Single(Flows.NewName("beat"));
        var (holder, other) = (await Wire.RegisterAsync(schema), await Wire.RegisterAsync(schema));
        await Wire.DispatchAsync(schema);
        var key = Wire.Key(await Wire.MustClaimAsync(holder));

        var mine = await Wire.PostAsync($"/workflow/step/heartbeat?worker_id={holder}", $"[{key}]");
        var theirs = await Wire.PostAsync($"/workflow/step/heartbeat?worker_id={other}", $"[{key}]");

        Assert.Equal($"[{key[..^1]},\"renewed\":true,\"verdict\":\"renewed\",\"paused\":false}}]", mine.Body);
        Assert.Equal($"[{key[..^1]},\"renewed\":false,\"verdict\":\"gone\",\"paused\":false,\"code\":\"lease_lost\"}}]", theirs.Body);
    }

    [Fact]
    public async Task A_released_step_goes_to_the_next_who_asks()
    {
        var schema = Flows.Single(Flows.NewName("release"));
        var (first, second) = (await Wire.RegisterAsync(schema), await Wire.RegisterAsync(schema));
        await Wire.DispatchAsync(schema);
        var key = Wire.Key(await Wire.MustClaimAsync(first));

        Assert.Equal(new Reply(204, null, ""), await Wire.PostAsync($"/workflow/step/release?worker_id={first}", key));
        Assert.Equal(409, (await Wire.PostAsync($"/workflow/step/release?worker_id={first}", key)).Status);

        Assert.Equal(0, (await Wire.MustClaimAsync(second, "&extras=true")).GetProperty("attempt").GetInt32());
        Assert.Equal(JsonValueKind.Null, (await FindWorkerAsync(first)).GetProperty("last_task").ValueKind);
    }

    [Fact]
    public async Task Events_are_published_while_the_step_is_held_and_not_after()
    {
        var schema = Flows.Single(Flows.NewName("publish"));
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);
        var step = await Wire.MustClaimAsync(worker);
        var body = $$$"""{{{Wire.Key(step)[..^1]}}},"events":[{"type":"Progress","value":{"percent":40}}]}""";
        var path = $"/workflow/step/events?worker_id={worker}";

        Assert.Equal(new Reply(204, null, ""), await Wire.PostAsync(path, body));
        Assert.Equal(422, (await Wire.PostAsync(path, Wire.Key(step))).Status);
        await Wire.ReportAsync(worker, step, "SUCCEEDED");
        Assert.Equal(409, (await Wire.PostAsync(path, body)).Status);
    }

    private async Task<JsonElement> ReportOneAsync(string worker, JsonElement step) =>
        (await Wire.PostAsync($"/workflow/step?worker_id={worker}", $"[{Wire.Report(step, "SUCCEEDED")}]")).Json[0];
}
