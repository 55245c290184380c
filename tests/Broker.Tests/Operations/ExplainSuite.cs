using System.Globalization;
using System.Text.Json;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Tests.Operations;

/// <summary>The rules have a table of their own; here: what is stored comes through, on both engines.</summary>
public abstract class ExplainSuite(BrokerApp app)
{
    private readonly Wire wire = new(app.Client);

    [Fact]
    public async Task A_job_waits_for_a_worker_then_for_a_step_and_then_it_runs()
    {
        var label = Flows.NewName("gpu");
        var defined = await wire.PostAsync("/api/workflows", $$"""
            {"name":"n","trigger":"t","jobs":[
              {"id":"a","name":"a","status":"queued","command":"true","depends_on":[],"required_labels":["{{label}}"],"max_retries":0},
              {"id":"b","name":"b","status":"queued","command":"true","depends_on":["a"],"required_labels":[],"max_retries":0}]}
            """);
        var id = defined.Json.GetProperty("id").GetString()!;
        Assert.Equal(404, (await wire.GetAsync($"/api/v1/runs/{id}/{id}/steps/a")).Status);
        Assert.Equal(202, (await wire.PostAsync($"/api/workflows/{id}/run", "")).Status);

        var nobody = Cause(await ExplainAsync(id, id, "a"), "ready");
        Assert.Equal(("no_worker", label), (Code(nobody), nobody.GetProperty("labels")[0].GetString()));
        Assert.False(nobody.TryGetProperty("since", out _));
        var waiting = Cause(await ExplainAsync(id, id, "b"), "pending");
        Assert.Equal(("waiting_for_step", "a", "ready"), (Code(waiting), Text(waiting, "step"), Text(waiting, "state")));

        Assert.Equal(200, (await wire.PostAsync("/api/workers/register", $$"""{"worker_id":"{{label}}","labels":["{{label}}"]}""")).Status);
        Assert.Equal("claimable", Code(Cause(await ExplainAsync(id, id, "a"), "ready")));

        var claimed = await wire.PostAsync("/api/jobs/claim", $$"""{"worker_id":"{{label}}","labels":["{{label}}"],"lease_ttl_secs":600}""");
        var running = await ExplainAsync(id, id, "a");
        var leased = Cause(running, "leased");
        Assert.Equal(("leased", label), (Code(leased), Text(leased, "worker")));
        Assert.Equal(label, Text(running.GetProperty("lease"), "worker"));
        Assert.True(leased.GetProperty("until").GetDateTimeOffset() > leased.GetProperty("since").GetDateTimeOffset());
        Assert.Equal("leased", Text(Cause(await ExplainAsync(id, id, "b"), "pending"), "state"));

        var lease = claimed.Json.GetProperty("lease").GetProperty("lease_id").GetString();
        Assert.Equal(200, (await wire.PostAsync($"/api/jobs/{lease}/fail", """{"error":"boom","retryable":false}""")).Status);
        Assert.Equal("Error: boom", Text(Cause(await ExplainAsync(id, id, "a"), "failed"), "error"));
        var after = await ExplainAsync(id, id, "b");
        Assert.Equal(["run_ended", "unreachable"], after.GetProperty("causes").EnumerateArray().Select(Code));
        Assert.Equal(("unreachable", "failed"), (Text(after, "status"), Text(after, "run_status")));
    }

    [Fact] // 15 to 17
    public async Task A_step_whose_condition_was_not_met_says_so_and_jobs_clients_see_it_skipped()
    {
        var name = Flows.NewName("conditions");
        var worker = await wire.RegisterAsync($$$"""
            {"workflow_id":"{{{name}}}","version":"1","steps":{
              "try":{"successors":{"default":["alarm","next"]},"optional":true},
              "alarm":{"predecessors":["try"],"when":"failure"},
              "next":{"predecessors":["try"],"when":"needs.try.result == 'success' && inputs.go"}} }
            """);
        Assert.Equal(200, (await wire.PostAsync($"/api/workflows/{name}/instances", """{"id":"i-1","params":{"go":true}}""")).Status);
        await wire.ReportAsync(worker, await wire.MustClaimAsync(worker), "FAILED", "null");

        Assert.Equal("condition_not_met", Code(Cause(await ExplainAsync(name, "i-1", "alarm"), "not_run")));
        Assert.Equal("leased", Code(Cause(await ClaimedAsync("next"), "leased")));
        var jobs = (await wire.GetAsync($"/api/workflows/{name}~i-1/status")).Json.GetProperty("jobs").EnumerateArray();
        Assert.Equal(["failure", "skipped", "running"], jobs.Select(job => Text(job, "status")));

        async Task<JsonElement> ClaimedAsync(string step)
        {
            await wire.MustClaimAsync(worker);
            return await ExplainAsync(name, "i-1", step);
        }
    }

    [Fact]
    public async Task A_condition_that_cannot_be_read_is_refused_with_its_place()
    {
        var answer = await wire.PostAsync("/worker/register", """
            [{"workflow_id":"bad-conditions","steps":{
              "a":{"successors":{"default":["b"]},"when":"inputs."},
              "b":{"predecessors":["a"],"when":"needs.c.result == 'success'","optional":"yes"}}}]
            """);
        Assert.Equal(422, answer.Status);
        Assert.Contains("when", answer.Body, StringComparison.Ordinal);
        Assert.Contains("column 8", answer.Body, StringComparison.Ordinal);
        Assert.Contains("expected true or false", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_label_that_no_worker_offers_is_named_in_the_broker_dialect_too()
    {
        var (name, label) = (Flows.NewName("labels"), Flows.NewName("gpu"));
        var worker = await wire.RegisterAsync($$$"""
            {"workflow_id":"{{{name}}}","version":"1","steps":{"plain":{"successors":{"default":["train"]}},"train":{"predecessors":["plain"],"required_labels":["{{{label}}}"]} } }
            """);
        Assert.Equal(200, (await wire.PostAsync($"/api/workflows/workflows/{name}/instances", """{"id":"i-1"}""")).Status);
        await wire.ReportAsync(worker, await wire.MustClaimAsync(worker), "SUCCEEDED", "1");

        var missing = Cause(await ExplainAsync(name, "i-1", "train"), "ready");
        Assert.Equal(("no_worker", label), (Code(missing), missing.GetProperty("labels")[0].GetString()));
        Assert.Equal($"No worker with the label {label} registered for this workflow has ever been seen.", Text(missing, "message"));

        Assert.Equal(200, (await wire.GetAsync($"/workflow/step?worker_id={worker}&labels=other,{label}")).Status);
        Assert.Equal("leased", Code(Cause(await ExplainAsync(name, "i-1", "train"), "leased")));
    }

    [Fact]
    public async Task Timers_events_pauses_and_retries_are_explained_with_their_times()
    {
        var name = Flows.NewName("timed");
        var worker = await wire.RegisterAsync($$$"""
            {"workflow_id":"{{{name}}}","version":"1","steps":{
              "nap":{"kind":"sleep","duration_ms":3600000},
              "mail":{"kind":"waitForEvent","event":"go","timeout_ms":3600000},
              "work":{"retry_policy":{"max_retries":3,"backoff":{"Fixed":{"delay_secs":600} } } } } }
            """);
        Assert.Equal(200, (await wire.PostAsync($"/api/workflows/workflows/{name}/instances", """{"id":"i-1"}""")).Status);
        Assert.Equal("sleeping", Code(Cause(await ExplainAsync(name, "i-1", "nap"), "waiting")));
        var mail = Cause(await ExplainAsync(name, "i-1", "mail"), "waiting");
        Assert.Equal(("waiting_for_event", "go"), (Code(mail), Text(mail, "event")));
        Assert.InRange((mail.GetProperty("until").GetDateTimeOffset() - mail.GetProperty("since").GetDateTimeOffset()).TotalSeconds, 3599, 3601);
        Assert.Equal("claimable", Code(Cause(await ExplainAsync(name, "i-1", "work"), "ready")));

        await wire.ReportAsync(worker, await wire.MustClaimAsync(worker), "FAILED", "{\"name\":\"E\",\"message\":\"no\",\"retryable\":true}");
        var delayed = Cause(await ExplainAsync(name, "i-1", "work"), "ready");
        Assert.Equal(("delayed", 1), (Code(delayed), delayed.GetProperty("attempt").GetInt32()));

        Assert.Equal(200, (await wire.PostAsync($"/api/workflows/workflows/{name}/instances/i-1/pause", "")).Status);
        var paused = await ExplainAsync(name, "i-1", "mail");
        Assert.Equal(["run_paused", "waiting_for_event"], paused.GetProperty("causes").EnumerateArray().Select(Code));

        Assert.Equal(200, (await wire.PostAsync($"/api/workflows/workflows/{name}/instances/i-1/restart", "")).Status);
        Assert.Equal(1, (await ExplainAsync(name, "i-1", "work")).GetProperty("run").GetInt32());
        Assert.Equal(1, (await ExplainAsync(name, "i-1", "work", "?run=1")).GetProperty("run").GetInt32());
    }

    [Fact]
    public async Task The_line_before_a_step_is_counted()
    {
        var name = Flows.NewName("line");
        await wire.RegisterAsync(Flows.Single(name));
        string[] ids = [await wire.DispatchAsync(Flows.Single(name)), await wire.DispatchAsync(Flows.Single(name)), await wire.DispatchAsync(Flows.Single(name))];
        var step = JsonElement.Parse(Flows.Single(name)).GetProperty("steps").EnumerateObject().First().Name;
        Assert.Equal("claimable", Code(Cause(await ExplainAsync(name, ids[0], step), "ready")));
        Assert.Equal(2, Cause(await ExplainAsync(name, ids[2], step), "ready").GetProperty("ahead").GetInt32());
    }

    [Theory]
    [InlineData("/api/v1/runs/{0}/none/steps/{1}", "There is no instance 'none'")]
    [InlineData("/api/v1/runs/none/{2}/steps/{1}", "There is no instance '")]
    [InlineData("/api/v1/runs/{0}/{2}/steps/none", "There is no step 'none'")]
    public async Task An_unknown_instance_or_step_is_a_404_that_names_it(string path, string detail)
    {
        var name = Flows.NewName("known");
        var step = JsonElement.Parse(Flows.Single(name)).GetProperty("steps").EnumerateObject().First().Name;
        var id = await wire.DispatchAsync(Flows.Single(name));
        var reply = await wire.GetAsync(string.Format(CultureInfo.InvariantCulture, path, name, step, id));
        Assert.Equal((404, "application/problem+json"), (reply.Status, reply.ContentType));
        Assert.Equal(404, reply.Json.GetProperty("status").GetInt32());
        Assert.StartsWith(detail, reply.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private async Task<JsonElement> ExplainAsync(string workflow, string instance, string step, string query = "")
    {
        var reply = await wire.GetAsync($"/api/v1/runs/{workflow}/{instance}/steps/{step}{query}");
        Assert.True(reply.Status == 200, reply.ToString());
        Assert.All(reply.Json.GetProperty("causes").EnumerateArray(), c => Assert.NotEmpty(Text(c, "message")));
        return reply.Json;
    }

    private static JsonElement Cause(JsonElement answer, string state)
    {
        Assert.Equal(state, Text(answer, "status"));
        return Assert.Single(answer.GetProperty("causes").EnumerateArray());
    }

    private static string Code(JsonElement cause) => Text(cause, "code");

    private static string Text(JsonElement owner, string member) => owner.GetProperty(member).GetString()!;
}

public sealed class PostgresExplainTests(PostgresApp app) : ExplainSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteExplainTests(SqliteApp app) : ExplainSuite(app), IClassFixture<SqliteApp>;
