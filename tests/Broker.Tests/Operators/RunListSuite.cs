using System.Text.Json;
using Broker.Tests.App;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Lists of runs over HTTP: what is asked for, what is answered, what is refused.</summary>
public abstract class RunListSuite(BrokerApp app)
{
    private const string TwoSteps = """{"first":{"successors":{"default":["second"]}},"second":{"predecessors":["first"]}}""";

    private readonly OperatorWire wire = new(app.Client);

    [Fact]
    public async Task A_run_is_listed_with_its_steps_its_worker_and_its_error()
    {
        var name = NewName("listed");
        var worker = await wire.RegisterAsync(name, TwoSteps);
        await wire.StartAsync(name, "i-1");
        var queued = Assert.Single((await wire.GetAsync($"/runs?workflow={name}")).GetProperty("items").EnumerateArray());
        Assert.Equal(("queued", 0, 0, "1"), (Text(queued, "status"), queued.GetProperty("run").GetInt32(), queued.GetProperty("last_run").GetInt32(), Text(queued, "version")));
        Assert.False(queued.TryGetProperty("started_at", out _));
        Assert.False(queued.TryGetProperty("inputs", out _));

        await wire.Wire.RunAsync(worker, "first");
        var step = await wire.Wire.MustClaimAsync(worker);
        var running = Assert.Single((await wire.GetAsync($"/runs?where=workflow={name}%20status=running")).GetProperty("items").EnumerateArray());
        Assert.Equal((2, 1, 0, 1), Counts(running));
        var current = Assert.Single(running.GetProperty("current").EnumerateArray());
        Assert.Equal(("second", "leased", worker), (Text(current, "step"), Text(current, "state"), Text(current, "worker")));
        Assert.True(running.GetProperty("duration_ms").GetInt64() >= 0);

        await wire.Wire.ReportAsync(worker, step, "FAILED", $$"""{"name":"TimeoutError","message":"{{new string('x', 500)}}"}""");
        var page = await wire.GetAsync($"/runs?where=workflow={name}%20error~TIMEOUT");
        var failed = Assert.Single(page.GetProperty("items").EnumerateArray());
        var error = failed.GetProperty("error");
        Assert.Equal(("second", "TimeoutError", 301), (Text(error, "step"), Text(error, "name"), Text(error, "message").Length));
        Assert.EndsWith("Z", Text(failed, "ended_at"), StringComparison.Ordinal);
        Assert.Equal((JsonValueKind.Null, true), (page.GetProperty("next").ValueKind, page.GetProperty("complete").GetBoolean()));
        Assert.False(page.TryGetProperty("searched_to", out _));

        var one = await wire.GetAsync($"/runs/{name}/i-1");
        Assert.Equal(500, Text(one.GetProperty("error"), "message").Length);
    }

    [Fact]
    public async Task Conditions_may_be_an_expression_parameters_or_both()
    {
        var (one, two) = (NewName("one"), NewName("two"));
        await wire.RegisterAsync(one, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        var worker = await wire.RegisterAsync(two, TwoSteps);
        foreach (var id in (string[])["a-1", "a-2", "b-1"]) await wire.StartAsync(one, id);
        await wire.StartAsync(two, "a-3");
        await wire.Wire.MustClaimAsync(worker);

        Assert.Equal(["a-3", "b-1", "a-2", "a-1"], await wire.InstancesAsync($"workflow={one},{two}"));
        Assert.Equal(["a-1", "a-2", "b-1", "a-3"], await wire.InstancesAsync($"workflow={one},{two}&order=oldest"));
        Assert.Equal(["a-2", "a-1"], await wire.InstancesAsync($"workflow={one}&instance=a-*"));
        Assert.Equal(["a-2"], await wire.InstancesAsync($"where=workflow={one}%20instance!=a-1&instance=a-*"));
        Assert.Equal(["b-1", "a-2", "a-1"], await wire.InstancesAsync($"workflow={one},{two}&status=waiting&since=1h"));
        Assert.Equal(["a-3"], await wire.InstancesAsync($"workflow={one},{two}&worker={worker}"));
        Assert.Equal(["a-3"], await wire.InstancesAsync($"workflow={one},{two}&step=first"));
        Assert.Empty(await wire.InstancesAsync($"workflow={one}&until=1h"));
        Assert.Empty(await wire.InstancesAsync($"where=workflow={one}&workflow={two}"));
        Assert.Equal(4, (await wire.GetAsync($"/runs/count?where=workflow={one},{two}%20status=active")).GetProperty("count").GetInt32());
        var capped = await wire.GetAsync($"/runs/count?workflow={one}&max=2");
        Assert.Equal((2, true, true), (capped.GetProperty("count").GetInt32(), capped.GetProperty("capped").GetBoolean(), capped.GetProperty("complete").GetBoolean()));
    }

    [Theory]
    [InlineData("limit=0", "invalid_parameter", "query.limit")]
    [InlineData("limit=201", "invalid_parameter", "query.limit")]
    [InlineData("limit=x", "invalid_parameter", "query.limit")]
    [InlineData("order=newer", "invalid_parameter", "query.order")]
    [InlineData("cursor=!", "invalid_parameter", "query.cursor")]
    [InlineData("cursor=AAAA", "invalid_parameter", "query.cursor")]
    [InlineData("status=done", "invalid_parameter", "query.status")]
    [InlineData("workflow=", "invalid_parameter", "query.workflow")]
    [InlineData("error=", "invalid_parameter", "query.error")]
    [InlineData("status=failed&status=running", "invalid_parameter", "query.status")]
    [InlineData("state=failed", "unknown_parameter", "query.state")]
    [InlineData("where=status=done", "invalid_where", "query.where")]
    public async Task A_parameter_out_of_order_is_refused_with_its_place(string query, string code, string place) =>
        Assert.Equal(place, Text(await wire.ProblemAsync($"/runs?{query}", 400, code), "place"));

    [Fact]
    public async Task A_fault_of_an_expression_has_its_column()
    {
        var problem = await wire.ProblemAsync("/runs?where=workflow%3Dci%20status%3Ddone", 400, "invalid_where");
        Assert.Equal(20, problem.GetProperty("column").GetInt32());
        Assert.Contains("queued, running", Text(problem, "detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cursor_counts_for_its_own_filter_and_order_alone_and_is_stable()
    {
        var name = NewName("paged");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        for (var i = 0; i < 5; i++) await wire.StartAsync(name, $"i-{i}");
        var first = await wire.GetAsync($"/runs?workflow={name}&limit=2");
        var cursor = Text(first, "next");
        await wire.StartAsync(name, "i-5");
        Assert.Equal(["i-2", "i-1"], await wire.InstancesAsync($"workflow={name}&limit=2&cursor={cursor}"));
        foreach (var query in (string[])[$"workflow={name}&order=oldest", $"workflow={name}&status=active", "", $"workflow={name}x"])
            Assert.Equal("query.cursor", Text(await wire.ProblemAsync($"/runs?{query}&cursor={cursor}", 400, "cursor_mismatch"), "place"));
    }

    [Fact]
    public async Task Names_of_any_characters_find_their_run()
    {
        var name = NewName("n/ä %25#?&+\"") + "/";
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        await wire.StartAsync(name, "i-1", """{"n":1.50,"s":"\u00e4"}""");
        var run = await wire.GetAsync($"/runs/{Uri.EscapeDataString(name)}/i-1");
        Assert.Equal((name, "i-1"), (Text(run, "workflow"), Text(run, "instance")));
        Assert.Equal("""{"n":1.50,"s":"\u00e4"}""", run.GetProperty("inputs").GetRawText());
        var quoted = $"\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        Assert.Equal(["i-1"], await wire.InstancesAsync($"where={Uri.EscapeDataString($"workflow={quoted}")}"));
        Assert.Equal(["i-1"], await wire.InstancesAsync($"workflow={Uri.EscapeDataString(quoted)}"));
    }

    [Fact]
    public async Task One_run_shows_its_values_its_runs_and_its_actions()
    {
        var name = NewName("detail");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        await wire.StartAsync(name, "i-1");
        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/workflows/workflows/{name}/instances/i-1/restart", "")).Status);
        var run = await wire.GetAsync($"/runs/{name}/i-1");
        Assert.Equal((1, "waiting"), (run.GetProperty("run").GetInt32(), Text(run, "status")));
        Assert.Equal([1, 0], run.GetProperty("lineage").GetProperty("runs").EnumerateArray().Select(n => n.GetInt32()));
        Assert.Equal(["cancel", "pause", "restart", "fork", "terminate", "delete", "send_event"], Allowed(run));
        var wait = Assert.Single(run.GetProperty("current").EnumerateArray());
        Assert.Equal(("gate", "waiting", "go"), (Text(wait, "step"), Text(wait, "state"), Text(wait, "event")));

        var before = await wire.GetAsync($"/runs/{name}/i-1?run=0");
        Assert.Equal((0, 1, "cancelled"), (before.GetProperty("run").GetInt32(), before.GetProperty("last_run").GetInt32(), Text(before, "status")));
        Assert.Equal(["fork"], Allowed(before));

        await wire.ProblemAsync($"/runs/{name}/i-1?run=2", 404, "not_found");
        await wire.ProblemAsync($"/runs/{name}/absent", 404, "not_found");
        await wire.ProblemAsync("/runs/absent/i-1", 404, "not_found");
        await wire.ProblemAsync($"/runs/{name}/i-1?run=x", 400, "invalid_parameter");
        await wire.ProblemAsync($"/runs/{name}/i-1?limit=1", 400, "unknown_parameter");

        static IEnumerable<string> Allowed(JsonElement run) =>
            run.GetProperty("actions").EnumerateArray().Where(a => a.GetProperty("allowed").GetBoolean()).Select(a => Text(a, "name"));
    }

    private static (int Total, int Done, int Failed, int Running) Counts(JsonElement run)
    {
        var steps = run.GetProperty("steps");
        return (steps.GetProperty("total").GetInt32(), steps.GetProperty("done").GetInt32(), steps.GetProperty("failed").GetInt32(), steps.GetProperty("running").GetInt32());
    }
}

public sealed class PostgresRunListTests(PostgresApp app) : RunListSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteRunListTests(SqliteApp app) : RunListSuite(app), IClassFixture<SqliteApp>;
