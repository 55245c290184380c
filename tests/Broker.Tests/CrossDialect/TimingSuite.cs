using System.Text.Json;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Tests.CrossDialect;

/// <summary>Limits, delays and postponements as clients of all dialects ask for them and see them.</summary>
public abstract class TimingSuite(BrokerApp app)
{
    private const long AnHour = 3_600_000;

    private readonly Wire wire = new(app.Client);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_step_of_the_broker_dialect_is_put_off_with_its_progress()
    {
        var name = Flows.NewName("postpone");
        var worker = await wire.RegisterAsync(Flows.Single(name));
        var id = await wire.DispatchAsync(Flows.Single(name));
        var first = await wire.MustClaimAsync(worker, "&extras=true");
        Assert.False(first.TryGetProperty("progress", out _));
        var beat = await wire.PostAsync($"/workflow/step/heartbeat?worker_id={worker}", $"[{Wire.Key(first)[..^1]},\"progress\":{{\"page\":1.0}}}}]");
        Assert.Equal(("renewed", false), (Text(beat.Json[0], "verdict"), beat.Json[0].GetProperty("paused").GetBoolean()));

        Assert.Equal(204, (await wire.ReportAsync(worker, first, "POSTPONED", more: ",\"delay_ms\":0")).Status);
        var second = await wire.MustClaimAsync(worker, "&extras=true");
        Assert.Equal((0, """{"page":1.0}"""), (second.GetProperty("attempt").GetInt32(), second.GetProperty("progress").GetRawText()));

        Assert.Equal(204, (await wire.ReportAsync(worker, second, "POSTPONED", more: $",\"delay_ms\":{AnHour}")).Status);
        Assert.Null(await wire.ClaimAsync(worker));
        var explained = (await wire.GetAsync($"/api/v1/runs/{name}/{id}/steps/step0")).Json;
        Assert.Equal(["postponed", "postponed"], (await AttemptsAsync(name, id, "step0")).Select(a => Text(a, "outcome")));
        Assert.Equal("""{"page":1.0}""", explained.GetProperty("progress").GetRawText());
        Assert.StartsWith("Its worker put it off", Text(explained.GetProperty("causes")[0], "message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_of_the_broker_dialect_names_the_pause_before_a_retry()
    {
        var name = Flows.NewName("after");
        var schema = Flows.Single(name, more: ",\"retries\":{\"limit\":1}");
        var worker = await wire.RegisterAsync(schema);
        var id = await wire.DispatchAsync(schema);
        Assert.Equal(204, (await wire.ReportAsync(worker, await wire.MustClaimAsync(worker), "FAILED", "{\"name\":\"Busy\",\"message\":\"later\"}", $",\"retry_after_ms\":{AnHour}")).Status);
        Assert.Null(await wire.ClaimAsync(worker));
        var attempt = Assert.Single(await AttemptsAsync(name, id, "step0"));
        Assert.Equal(("failed", "Busy", "later", worker), (Text(attempt, "outcome"), Text(attempt.GetProperty("error"), "name"), Text(attempt.GetProperty("error"), "message"), Text(attempt, "worker")));
    }

    [Theory]
    [InlineData("POSTPONED", "", "delay_ms")]
    [InlineData("POSTPONED", ",\"delay_ms\":-1", "delay_ms")]
    [InlineData("SUCCEEDED", ",\"delay_ms\":1", "delay_ms")]
    [InlineData("SUCCEEDED", ",\"retry_after_ms\":1", "retry_after_ms")]
    [InlineData("FAILED", ",\"retry_after_ms\":\"1\"", "retry_after_ms")]
    public async Task A_faulty_delay_is_refused_with_its_place(string state, string more, string path)
    {
        var name = Flows.NewName("faulty");
        var worker = await wire.RegisterAsync(Flows.Single(name));
        await wire.DispatchAsync(Flows.Single(name));
        var step = await wire.MustClaimAsync(worker);
        var reply = await wire.ReportAsync(worker, step, state, more: more);
        Assert.Equal((422, path), (reply.Status, Text(reply.Json.GetProperty("problems")[0], "path")));
        Assert.Equal(204, (await wire.ReportAsync(worker, step, "SUCCEEDED")).Status);
    }

    [Fact]
    public async Task Progress_that_is_too_large_is_refused()
    {
        var name = Flows.NewName("large");
        var worker = await wire.RegisterAsync(Flows.Single(name));
        await wire.DispatchAsync(Flows.Single(name));
        var step = await wire.MustClaimAsync(worker);
        var reply = await wire.PostAsync($"/workflow/step/heartbeat?worker_id={worker}", $"[{Wire.Key(step)[..^1]},\"progress\":\"{new string('x', 64 << 10)}\"}}]");
        Assert.Equal((422, "[0].progress"), (reply.Status, Text(reply.Json.GetProperty("problems")[0], "path")));
    }

    [Fact]
    public async Task An_attempt_that_takes_too_long_ends_and_its_lease_is_stale()
    {
        var name = Flows.NewName("limit");
        var schema = Flows.Single(name, more: ",\"timeouts\":{\"attempt_ms\":200},\"retries\":{\"limit\":1}");
        var worker = await wire.RegisterAsync(schema);
        var id = await wire.DispatchAsync(schema);
        var first = await wire.MustClaimAsync(worker, "&extras=true");
        Assert.Equal(first.GetProperty("expires_at").GetDouble(), first.GetProperty("deadline").GetDouble());

        var second = await wire.MustClaimAsync(worker, "&extras=true&wait=30");
        Assert.Equal(1, second.GetProperty("attempt").GetInt32());
        var late = $",\"lease_id\":{first.GetProperty("lease_id").GetRawText()}";
        var verdict = await wire.PostAsync($"/workflow/step?worker_id={worker}", $"[{Wire.Report(first, "SUCCEEDED", more: late)}]");
        Assert.Equal("stale", Text(verdict.Json[0], "verdict"));
        Assert.Equal("timed_out", Text(Assert.Single(await AttemptsAsync(name, id, "step0")), "outcome"));
    }

    // Those that have ended.
    private async Task<IEnumerable<JsonElement>> AttemptsAsync(string workflow, string id, string step) =>
        (await wire.GetAsync($"/api/v1/runs/{workflow}/{id}/steps/{step}/attempts")).Json.GetProperty("items").EnumerateArray().Where(attempt => attempt.TryGetProperty("ended_at", out _));

    [Fact]
    public async Task A_job_is_put_off_and_its_heartbeat_says_what_it_found()
    {
        var (id, label) = await JobAsync("\"max_retries\":1");
        var (lease, claim) = (await ClaimJobAsync(label), $$"""{"worker_id":"w","labels":["{{label}}"]}""");
        Assert.Equal((200, ""), Plain(await wire.PostAsync($"/api/jobs/{lease}/heartbeat", """{"progress":[1.0]}""")));
        Assert.Equal($$"""{"lease_id":"{{lease}}","alive":true,"cancelled":false,"paused":false,"lost":false}""", (await BeatAsync(lease)).Body);
        Assert.Equal(422, (await wire.PostAsync($"/api/jobs/{lease}/heartbeat", "[]")).Status);

        Assert.Equal(422, (await wire.PostAsync($"/api/jobs/{lease}/postpone", "{}")).Status);
        Assert.Equal((200, ""), Plain(await wire.PostAsync($"/api/jobs/{lease}/postpone", """{"delay_ms":0}""")));
        Assert.Equal(409, (await wire.PostAsync($"/api/jobs/{lease}/postpone", """{"delay_ms":0}""")).Status);
        Assert.Equal((409, $$"""{"lease_id":"{{lease}}","alive":false,"cancelled":false,"paused":false,"lost":true,"code":"lease_lost"}"""), Plain(await BeatAsync(lease)));
        var again = (await wire.PostAsync("/api/jobs/claim", claim)).Json;
        Assert.Equal((0, "[1.0]"), (again.GetProperty("job").GetProperty("attempt").GetInt32(), again.GetProperty("job").GetProperty("progress").GetRawText()));

        lease = Text(again.GetProperty("lease"), "lease_id");
        var batch = await wire.PostAsync("/api/jobs/complete", $$"""{"results":[{"lease_id":"{{lease}}","postpone_ms":0}],"claim":{{claim}}}""");
        Assert.Equal("accepted", Text(batch.Json.GetProperty("results")[0], "verdict"));
        lease = Text(batch.Json.GetProperty("claimed")[0].GetProperty("lease"), "lease_id");
        Assert.Equal((200, ""), Plain(await wire.PostAsync($"/api/jobs/{lease}/fail", $$"""{"error":"busy","retryable":true,"retry_after_ms":{{AnHour}}}""")));
        Assert.Equal("null", (await wire.PostAsync("/api/jobs/claim", claim)).Body);
        var attempts = await AttemptsAsync(id, id, "a");
        Assert.Equal(["postponed", "postponed", "failed"], attempts.Select(a => Text(a, "outcome")));
    }

    [Fact]
    public async Task Heartbeats_of_many_jobs_carry_progress_for_some()
    {
        var (id, label) = await JobAsync("\"max_retries\":1");
        var lease = await ClaimJobAsync(label);
        var reply = await wire.PostAsync("/api/jobs/heartbeat", $$"""{"lease_ids":["{{lease}}","none"],"progress":{"{{lease}}":7} }""");
        Assert.Equal([true, false], reply.Json.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("alive").GetBoolean()));
        Assert.Equal("7", (await wire.GetAsync($"/api/v1/runs/{id}/{id}/steps/a")).Json.GetProperty("progress").GetRawText());
        var refused = await wire.PostAsync("/api/jobs/heartbeat", $$"""{"lease_ids":["{{lease}}"],"progress":{"other":7} }""");
        Assert.Equal((422, "progress.other"), (refused.Status, Text(refused.Json, "field")));
    }

    [Fact]
    public async Task Every_dialect_starts_runs_later()
    {
        foreach (var (name, id) in (IEnumerable<(string, string)>)[
            await DispatchAsync($"\"delay_ms\":{AnHour}"), await DispatchAsync("\"start_at\":\"2999-01-01T00:00:00Z\""), await RunHandlerAsync($"\"delay_ms\":{AnHour}"),
            await CreateAsync($"\"delayMs\":{AnHour}"), await CreateAsync("\"startAt\":\"2999-01-01T01:00:00+01:00\"")])
        {
            var explained = (await wire.GetAsync($"/api/v1/runs/{name}/{id}/steps/step0")).Json;
            Assert.Equal(("queued", "delayed"), (Text(explained, "run_status"), Text(explained.GetProperty("causes")[0], "code")));
        }
    }

    [Fact]
    public async Task Every_dialect_starts_runs_with_a_priority_and_a_limit()
    {
        var name = Flows.NewName("priority");
        var schema = Flows.Single(name);
        var worker = await wire.RegisterAsync(schema);
        await wire.DispatchAsync(schema);
        await wire.PostAsync($"/api/workflows/{name}/instances", """{"id":"third","priority":-5}""");
        await wire.PostAsync($"/workflows/{name}/run-nowait", """{"priority":3,"run_ms":60000}""");
        await wire.PostAsync("/workflow/dispatch", $$"""{"workflow":{{schema}},"priority":5,"run_ms":60000}""");
        var order = new List<string>();
        for (var i = 0; i < 4; i++) order.Add(Text(await wire.MustClaimAsync(worker), "instance_id"));
        Assert.Equal("third", order[3]);
        Assert.Equal([32, 10, 32], order.Take(3).Select(id => id.Length));
    }

    [Theory]
    [InlineData("start_at", "\"2026-01-01\"")]
    [InlineData("start_at", "\"2026-01-01T00:00:00\"")]
    [InlineData("start_at", "5")]
    [InlineData("start_at", "\"9999-01-01T00:00:00Z\"")]
    [InlineData("delay_ms", "-1")]
    [InlineData("delay_ms", "1.5")]
    [InlineData("priority", "1001")]
    [InlineData("run_ms", "0")]
    public async Task Faulty_options_of_a_start_are_refused_in_each_shape(string member, string value)
    {
        var name = Flows.NewName("options");
        await wire.RegisterAsync(Flows.Single(name));
        var dispatch = await wire.PostAsync("/workflow/dispatch", $$"""{"workflow":{{Flows.Single(name)}},"{{member}}":{{value}}}""");
        Assert.Equal((422, member), (dispatch.Status, Text(dispatch.Json.GetProperty("problems")[0], "path")));
        var run = await wire.PostAsync($"/workflows/{name}/run-nowait", $$"""{"{{member}}":{{value}}}""");
        Assert.True(run.Status == 400 && run.Body.Contains($"'{member}'", StringComparison.Ordinal), run.ToString());
        var camel = member switch { "start_at" => "startAt", "delay_ms" => "delayMs", "run_ms" => "runMs", _ => member };
        var created = await wire.PostAsync($"/api/workflows/{name}/instances", $$"""{"id":"i","{{camel}}":{{value}}}""");
        Assert.True(created.Status == 400 && created.Body.Contains(camel, StringComparison.Ordinal), created.ToString());
        Assert.Empty((await wire.GetAsync($"/api/workflows/workflows/{name}/instances")).Json.GetProperty("instances").EnumerateArray());
    }

    [Fact]
    public async Task A_start_time_and_a_delay_together_are_refused()
    {
        var reply = await wire.PostAsync("/workflow/dispatch", $$"""{"workflow":{{Flows.Single(Flows.NewName("both"))}},"delay_ms":1,"start_at":"2026-01-01T00:00:00Z"}""");
        Assert.Equal((422, "delay_ms"), (reply.Status, Text(reply.Json.GetProperty("problems")[0], "path")));
    }

    private async Task<(string Name, string Id)> DispatchAsync(string more)
    {
        var name = Flows.NewName("dispatch");
        var reply = await wire.PostAsync("/workflow/dispatch", $$"""{"workflow":{{Flows.Single(name)}},{{more}}}""");
        Assert.True(reply.Status == 200, reply.ToString());
        return (name, reply.Text);
    }

    private async Task<(string Name, string Id)> RunHandlerAsync(string more)
    {
        var name = Flows.NewName("handler");
        await wire.RegisterAsync(Flows.Single(name));
        var reply = await wire.PostAsync($"/workflows/{name}/run-nowait", $$"""{ {{more}} }""");
        Assert.True(reply.Status == 200, reply.ToString());
        return (name, Text(reply.Json, "handler_id"));
    }

    private async Task<(string Name, string Id)> CreateAsync(string more)
    {
        var name = Flows.NewName("instance");
        await wire.RegisterAsync(Flows.Single(name));
        var reply = await wire.PostAsync($"/api/workflows/{name}/instances", $$"""{"id":"i",{{more}}}""");
        Assert.True(reply.Status == 200, reply.ToString());
        return (name, "i");
    }

    private async Task<(string Id, string Label)> JobAsync(string more)
    {
        var label = Flows.NewName("label");
        var defined = await wire.PostAsync("/api/workflows", $$"""
            {"name":"n","trigger":"t","jobs":[{"id":"a","name":"a","status":"queued","command":"true","depends_on":[],"required_labels":["{{label}}"],{{more}}}]}
            """);
        var id = Text(defined.Json, "id");
        Assert.Equal(202, (await wire.PostAsync($"/api/workflows/{id}/run", "")).Status);
        return (id, label);
    }

    private async Task<string> ClaimJobAsync(string label) =>
        Text((await wire.PostAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":["{{label}}"]}""")).Json.GetProperty("lease"), "lease_id");

    private async Task<Reply> BeatAsync(string lease)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/jobs/{lease}/heartbeat") { Headers = { { "Accept", "application/json" } } };
        using var response = await app.Client.SendAsync(request, Ct);
        return new((int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), await response.Content.ReadAsStringAsync(Ct));
    }

    private static (int Status, string Body) Plain(Reply reply) => (reply.Status, reply.Body);

    private static string Text(JsonElement owner, string member) => owner.GetProperty(member).GetString()!;
}

public sealed class PostgresTimingTests(PostgresApp app) : TimingSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteTimingTests(SqliteApp app) : TimingSuite(app), IClassFixture<SqliteApp>;
