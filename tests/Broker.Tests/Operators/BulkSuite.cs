using System.Text.Json;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Actions on many runs over HTTP: trial, start, progress, results.</summary>
public abstract class BulkSuite(BrokerApp app)
{
    private readonly OperatorWire wire = new(app.Client);

    [Fact]
    public async Task A_trial_changes_nothing_and_its_start_acts_on_what_it_counted()
    {
        var name = await WaitingAsync("trial", 12);
        var plan = await PlanAsync($$"""{"action":"cancel","where":"workflow={{name}}","exclude":[{"workflow":"{{name}}","instance":"i-3"}],"reason":"the mirror is away"}""");
        Assert.Equal((11, false, 11, "planned"), (Number(plan.GetProperty("matched"), "count"), plan.GetProperty("matched").GetProperty("capped").GetBoolean(), Number(plan, "qualify"), Text(plan, "state")));
        Assert.Equal($"""[{@"{""key"":""waiting"",""count"":11}"}]""", plan.GetProperty("by_status").GetRawText());
        Assert.Equal((10, 0), (plan.GetProperty("sample").GetArrayLength(), plan.GetProperty("not_qualify").GetArrayLength()));
        Assert.Equal(12, Number(await wire.GetAsync($"/runs/count?workflow={name}&status=waiting"), "count"));

        var id = Number(plan, "id");
        Problem(await StartAsync(id, """{"confirm":"x","count":11}"""), 409, "wrong_token");
        Assert.Equal("planned", Text(await wire.GetAsync($"/bulk/{id}"), "state"));
        Assert.Equal(202, (await StartAsync(id, $$"""{"confirm":"{{Text(plan, "confirm")}}","count":11}""")).Status);
        Problem(await StartAsync(id, $$"""{"confirm":"{{Text(plan, "confirm")}}","count":11}"""), 409, "not_allowed");

        var ended = await EndedAsync(id);
        Assert.Equal(("done", 11, 11, 0, 0), (Text(ended, "state"), Number(ended, "total"), Number(ended, "done"), Number(ended, "skipped"), Number(ended, "failed")));
        Assert.Equal(["i-3"], await wire.InstancesAsync($"workflow={name}&status=waiting"));
        var results = await AllResultsAsync(id, "limit=4");
        Assert.Equal(11, results.Select(r => Text(r, "instance")).Distinct().Count());
        Assert.All(results, r => Assert.Equal("done", Text(r, "outcome")));
        Assert.Contains(id, (await wire.GetAsync("/bulk")).GetProperty("items").EnumerateArray().Select(b => Number(b, "id")));
        var trail = (await wire.GetAsync("/audit?action=bulk_start")).GetProperty("items").EnumerateArray().Select(e => Text(e, "detail"));
        Assert.Contains(At("bulk {0}: cancel workflow={1} (the mirror is away)", id, name), trail);
        var cancels = (await wire.GetAsync($"/audit?workflow={name}&action=cancel")).GetProperty("items").EnumerateArray().Select(e => Text(e, "detail")).ToList();
        Assert.Equal(11, cancels.Count);
        Assert.All(cancels, detail => Assert.Equal(At("bulk {0}: the mirror is away", id), detail));
    }

    [Fact]
    public async Task Runs_of_after_the_trial_are_left_alone_and_a_changed_choice_is_refused()
    {
        var name = await WaitingAsync("later", 13);
        var plan = await PlanAsync($$"""{"action":"terminate","where":"workflow={{name}} status=active"}""");
        await wire.StartAsync(name, "late");
        for (var i = 0; i < 11; i++) await wire.Wire.PostAsync($"/api/v1/runs/{name}/i-{i}/cancel", "");
        var confirm = Text(plan, "confirm");
        Problem(await StartAsync(Number(plan, "id"), $$"""{"confirm":"{{confirm}}","count":13}"""), 409, "changed");

        Assert.Equal(202, (await StartAsync(Number(plan, "id"), $$"""{"confirm":"{{confirm}}","count":2}""")).Status);
        Assert.Equal(2, Number(await EndedAsync(Number(plan, "id")), "done"));
        Assert.Equal(["late"], await wire.InstancesAsync($"workflow={name}&status=active"));
    }

    [Fact]
    public async Task A_retry_of_failed_runs_keeps_what_finished_and_says_which_do_not_qualify()
    {
        var name = NewName("bulk-retry");
        var worker = await wire.RegisterAsync(name, """{"a":{"successors":{"default":["b"]}},"b":{"predecessors":["a"]}}""");
        for (var i = 0; i < 4; i++)
        {
            await wire.StartAsync(name, At("i-{0}", i));
            await wire.Wire.RunAsync(worker, "a");
            await wire.Wire.RunAsync(worker, "b", "FAILED", "\"no\"");
        }

        Assert.Equal(201, (await wire.Wire.PostAsync($"/api/v1/runs/{name}/i-0/retry", "")).Status);
        var plan = await PlanAsync($$"""{"action":"retry","where":"workflow={{name}} status=failed"}""");
        Assert.Equal((4, 3), (Number(plan.GetProperty("matched"), "count"), Number(plan, "qualify")));
        Assert.Equal("It is not the instance's newest run.", Text(plan.GetProperty("not_qualify")[0], "why"));
        Assert.Equal(202, (await StartAsync(Number(plan, "id"), $$"""{"confirm":"{{Text(plan, "confirm")}}","count":4}""")).Status);
        var ended = await EndedAsync(Number(plan, "id"));
        Assert.Equal((3, 1, 0), (Number(ended, "done"), Number(ended, "skipped"), Number(ended, "failed")));
        var skipped = Assert.Single(await AllResultsAsync(Number(plan, "id"), "outcome=skipped,failed"));
        Assert.Equal(("i-0", "not_newest"), (Text(skipped, "instance"), Text(skipped, "code")));
        Assert.All(await AllResultsAsync(Number(plan, "id"), "outcome=done"), r => Assert.Equal((0, 1), (Number(r, "run"), Number(r, "new_run"))));
        Assert.Equal(3, Number(await wire.GetAsync($"/runs/count?where=workflow={name}%20run=1%20instance!=i-0"), "count"));
    }

    [Theory]
    [InlineData("pause", "", "paused")]
    [InlineData("restart", "", "waiting")]
    [InlineData("cancel", """{"grace_ms":0}""", "cancelled")]
    [InlineData("delete", "", null)]
    [InlineData("send_event", """{"type":"go","value":{"ok":true}}""", "succeeded")]
    [InlineData("tag", """{"tags":{"team":"a","old":null}}""", "waiting")]
    public async Task Each_action_is_done_to_named_runs(string action, string args, string? status)
    {
        var name = await WaitingAsync(action.Replace('_', '-'), 3, """{"old":1,"kept":2}""");
        var ids = string.Join(',', Enumerable.Range(0, 2).Select(i => At("{{\"workflow\":\"{0}\",\"instance\":\"i-{1}\"}}", name, i)));
        var started = await wire.Wire.PostAsync("/api/v1/bulk", $$"""{"action":"{{action}}","ids":[{{ids}},{"workflow":"{{name}}","instance":"absent"}],"dry_run":false{{(args.Length == 0 ? "" : $",\"args\":{args}")}} }""");
        Assert.True(started.Status == 202, started.ToString());
        Assert.Equal((2, "There is no such run."), (Number(started.Json, "qualify"), Text(started.Json.GetProperty("not_qualify")[0], "why")));
        var ended = await EndedAsync(Number(started.Json, "id"));
        Assert.Equal((2, 2), (Number(ended, "total"), Number(ended, "done")));
        Assert.Equal(status is null ? 1 : 3, Number(await wire.GetAsync($"/runs/count?where=workflow={name}{(action == "restart" ? "%20status!=cancelled" : "")}"), "count"));
        if (status is not null) Assert.Equal(status, Text(await wire.GetAsync($"/runs/{name}/i-1"), "status"));
        if (action == "tag") Assert.Equal("""{"kept":2,"team":"a"}""", (await wire.GetAsync($"/runs/{name}/i-1")).GetProperty("tags").GetRawText());
        Assert.Equal("waiting", Text(await wire.GetAsync($"/runs/{name}/i-2"), "status"));
    }

    [Fact]
    public async Task A_slow_action_is_stopped_between_two_runs()
    {
        var name = await WaitingAsync("slow", 30);
        var started = await wire.Wire.PostAsync("/api/v1/bulk", $$"""{"action":"cancel","where":"workflow={{name}}","rate":1,"dry_run":false}""");
        var id = Number(started.Json, "id");
        await Eventually.TrueAsync(async () => Number(await wire.GetAsync(At("/bulk/{0}", id)), "done") > 0);
        var stopped = await wire.Wire.PostAsync(At("/api/v1/bulk/{0}/stop", id), """{"reason":"the mirror is back"}""");
        Assert.Equal((200, "stopped", "the mirror is back"), (stopped.Status, Text(stopped.Json, "state"), Text(stopped.Json, "stopped_because")));
        Problem(await wire.Wire.PostAsync(At("/api/v1/bulk/{0}/stop", id), ""), 409, "not_allowed");
        Assert.InRange(Number(await wire.GetAsync($"/runs/count?workflow={name}&status=waiting"), "count"), 20, 29);
    }

    [Theory]
    [InlineData("""{"where":"status=failed"}""", "/action")]
    [InlineData("""{"action":"explode","where":""}""", "/action")]
    [InlineData("""{"action":"cancel"}""", "/where")]
    [InlineData("""{"action":"cancel","where":"","ids":[]}""", "/ids")]
    [InlineData("""{"action":"cancel","where":"colour=red"}""", "/where")]
    [InlineData("""{"action":"cancel","ids":[]}""", "/ids")]
    [InlineData("""{"action":"cancel","ids":[{"workflow":"a"}]}""", "/ids/0")]
    [InlineData("""{"action":"cancel","ids":[{"workflow":"a","instance":"b","colour":"red"}]}""", "/ids")]
    [InlineData("""{"action":"cancel","ids":[{"workflow":"a","workflow":"a","instance":"b"}]}""", "/ids/0/workflow")]
    [InlineData("""{"action":"cancel","where":"","rate":0}""", "/rate")]
    [InlineData("""{"action":"cancel","where":"","args":{"tags":{}}}""", "/args/tags")]
    [InlineData("""{"action":"cancel","where":"","args":{"colour":1}}""", "/args")]
    [InlineData("""{"action":"cancel","where":"","args":{"grace_ms":-1}}""", "/args/grace_ms")]
    [InlineData("""{"action":"retry","where":"","args":{"steps":[]}}""", "/args/steps")]
    [InlineData("""{"action":"tag","where":""}""", "/args/tags")]
    [InlineData("""{"action":"tag","where":"","args":{"tags":{"a":[1]}}}""", "/args/tags/a")]
    [InlineData("""{"action":"tag","where":"","args":{"tags":{"a":1,"a":2}}}""", "/args/tags/a")]
    [InlineData("""{"action":"send_event","where":"","args":{"value":1}}""", "/args/type")]
    [InlineData("""{"action":"cancel","where":"","reasons":"x"}""", "/reasons")]
    public async Task A_member_out_of_order_is_refused_with_its_place(string body, string place) =>
        Assert.Equal(place, Text(Problem(await wire.Wire.PostAsync("/api/v1/bulk", body), 422, "invalid_body"), "place"));

    [Fact]
    public async Task An_action_that_is_not_there_is_a_404()
    {
        foreach (var path in (string[])["/bulk/0", "/bulk/x", "/bulk/0/results", "/bulk/99999999999999999999"]) await wire.ProblemAsync(path, 404, "not_found");
        Problem(await StartAsync(0, """{"confirm":"x","count":1}"""), 404, "not_found");
        Problem(await wire.Wire.PostAsync("/api/v1/bulk/0/stop", ""), 404, "not_found");
        Problem(await wire.Wire.PostAsync("/api/v1/bulk/0/start", ""), 400, "invalid_json");
        Problem(await wire.Wire.PostAsync("/api/v1/bulk/0/start", """{"count":1}"""), 422, "invalid_body");
        await wire.ProblemAsync("/bulk/1/results?outcome=lost", 400, "invalid_parameter");
    }

    // Runs that wait for an event go.
    private async Task<string> WaitingAsync(string stem, int runs, string? tags = null)
    {
        var name = NewName($"bulk-{stem}");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        for (var i = 0; i < runs; i++)
        {
            var reply = await wire.Wire.PostAsync($"/api/v1/workflows/{name}/runs", $$"""{"instance":"i-{{i}}"{{(tags is null ? "" : $",\"tags\":{tags}")}} }""");
            Assert.True(reply.Status == 201, reply.ToString());
        }

        return name;
    }

    private async Task<JsonElement> PlanAsync(string body)
    {
        var reply = await wire.Wire.PostAsync("/api/v1/bulk", body);
        Assert.True(reply.Status == 200, reply.ToString());
        return reply.Json;
    }

    private Task<Reply> StartAsync(int id, string body) => wire.Wire.PostAsync(At("/api/v1/bulk/{0}/start", id), body);

    private async Task<JsonElement> EndedAsync(int id)
    {
        JsonElement state = default;
        await Eventually.TrueAsync(async () => Text(state = await wire.GetAsync(At("/bulk/{0}", id)), "state") is "done" or "stopped");
        return state;
    }

    private async Task<List<JsonElement>> AllResultsAsync(int id, string query)
    {
        var all = new List<JsonElement>();
        for (var next = ""; ;)
        {
            var page = await wire.GetAsync(At("/bulk/{0}/results?{1}{2}", id, query, next));
            all.AddRange(page.GetProperty("items").EnumerateArray());
            if (page.GetProperty("next").GetString() is not { } cursor) return all;
            next = $"&cursor={cursor}";
        }
    }

    private static int Number(JsonElement owner, string member) => owner.GetProperty(member).GetInt32();
}

public sealed class PostgresBulkTests(PostgresApp app) : BulkSuite(app), IClassFixture<PostgresApp>
{
    [Fact]
    public async Task Two_brokers_act_once_on_each_run_and_one_goes_on_where_the_other_was_stopped()
    {
        var wire = new OperatorWire(app.Client);
        var name = NewName("bulk-two");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        for (var i = 0; i < 40; i++) await wire.StartAsync(name, At("i-{0}", i));
        var other = await app.StartBrokerAsync();
        var id = (await new OperatorWire(other).Wire.PostAsync("/api/v1/bulk", $$"""{"action":"restart","where":"workflow={{name}}","rate":20,"dry_run":false}""")).Json.GetProperty("id").GetInt32();
        await Eventually.TrueAsync(async () => (await wire.GetAsync(At("/bulk/{0}", id))).GetProperty("done").GetInt32() > 0);
        other.Dispose();
        await app.StopBrokerAsync();
        await Eventually.TrueAsync(async () => Text(await wire.GetAsync(At("/bulk/{0}", id)), "state") == "done", TimeSpan.FromSeconds(30));

        // A run that was restarted twice would have a further number.
        var state = await wire.GetAsync(At("/bulk/{0}", id));
        Assert.Equal((40, 40), (state.GetProperty("total").GetInt32(), state.GetProperty("done").GetInt32() + state.GetProperty("skipped").GetInt32()));
        Assert.Equal(40, (await wire.GetAsync($"/runs/count?where=workflow={name}%20run=1")).GetProperty("count").GetInt32());
        Assert.Equal(0, (await wire.GetAsync($"/runs/count?where=workflow={name}%20run%3E1")).GetProperty("count").GetInt32());
    }
}

public sealed class SqliteBulkTests(SqliteApp app) : BulkSuite(app), IClassFixture<SqliteApp>;
