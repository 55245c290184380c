using System.Text.Json;
using Broker.Tests.App;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Sums over runs, groups of failures, searches and the broker itself over HTTP.</summary>
public abstract class OverviewSuite(BrokerApp app)
{
    private readonly OperatorWire wire = new(app.Client);

    [Fact]
    public async Task Failures_that_look_alike_are_one_group_which_where_finds()
    {
        var name = NewName("groups");
        var worker = await wire.RegisterAsync(name, """{"a":{},"b":{"required_labels":[]}}""");
        foreach (var (id, message) in new[] { ("i-1", "upstream 7 did not answer"), ("i-2", "upstream 12 did not answer"), ("i-3", "no disk '/dev/sda'"), ("i-4", "no disk '/dev/sdb'") })
        {
            await wire.StartAsync(name, id);
            var step = await wire.Wire.MustClaimAsync(worker);
            await wire.Wire.ReportAsync(worker, step, "FAILED", JsonSerializer.Serialize(message));
            await wire.Wire.RunAsync(worker, "b");
        }

        var groups = (await wire.GetAsync($"/failures?workflow={name}&since=1h")).GetProperty("groups").EnumerateArray().ToList();
        Assert.Equal([2, 2], groups.Select(group => group.GetProperty("count").GetInt32()));
        Assert.All(groups, group => Assert.Equal((name, "a", 12, 2), (Text(group, "workflow"), Text(group, "step"), group.GetProperty("trend").GetArrayLength(), group.GetProperty("trend").EnumerateArray().Sum(n => n.GetInt32()))));
        var upstream = groups.Single(group => Text(group, "message").StartsWith("upstream", StringComparison.Ordinal));
        Assert.Equal(("i-2", 0), (Text(upstream.GetProperty("sample"), "instance"), upstream.GetProperty("sample").GetProperty("run").GetInt32()));
        Assert.Equal(["i-2", "i-1"], await wire.InstancesAsync($"where=workflow={name}%20error.group={Text(upstream, "id")}"));
        Assert.Equal(["i-4", "i-3"], await wire.InstancesAsync($"where=workflow={name}%20status=failed%20error.group!={Text(upstream, "id")}"));
        Assert.Equal(2, (await wire.GetAsync($"/runs/count?where=workflow={name}%20error.group={Text(upstream, "id")}")).GetProperty("count").GetInt32());
        Assert.False((await wire.GetAsync($"/failures?workflow={name}&scan=3")).GetProperty("complete").GetBoolean());
        Assert.Empty((await wire.GetAsync("/failures?workflow=absent")).GetProperty("groups").EnumerateArray());
        await wire.ProblemAsync("/failures?since=soon", 400, "invalid_parameter");
    }

    [Fact]
    public async Task Runs_are_counted_by_group_and_over_time()
    {
        var name = NewName("sums");
        var worker = await wire.RegisterAsync(name, """{"a":{}}""");
        for (var i = 0; i < 5; i++) await wire.StartAsync(name, At("i-{0}", i));
        await wire.Wire.RunAsync(worker, "a");
        await wire.Wire.RunAsync(worker, "a", "FAILED", "\"no\"");
        var counts = await wire.GetAsync($"/runs/count?workflow={name}&group=status");
        Assert.Equal(5, counts.GetProperty("count").GetInt32());
        Assert.Equal(["queued 3", "failed 1", "succeeded 1"], Groups(counts));
        Assert.Equal([$"{name} 5"], Groups(await wire.GetAsync($"/runs/count?workflow={name}&group=workflow")));
        Assert.Equal(["Error 1"], Groups(await wire.GetAsync($"/runs/count?workflow={name}&group=error")));
        await wire.ProblemAsync("/runs/count?group=colour", 400, "invalid_parameter");
        await wire.ProblemAsync("/runs/count?group=status&max=5", 400, "invalid_parameter");

        var histogram = await wire.GetAsync($"/runs/histogram?workflow={name}&since=1h&buckets=6");
        Assert.Equal((5, true), (histogram.GetProperty("runs").GetInt32(), histogram.GetProperty("complete").GetBoolean()));
        Assert.InRange(histogram.GetProperty("step_ms").GetInt32(), 599_000, 601_000);
        Assert.Equal(3, histogram.GetProperty("series").GetArrayLength());
        Assert.All(histogram.GetProperty("series").EnumerateArray(), series => Assert.Equal(6, series.GetProperty("counts").GetArrayLength()));
        Assert.Equal(5, histogram.GetProperty("series").EnumerateArray().Sum(series => series.GetProperty("counts")[5].GetInt32()));
        await wire.ProblemAsync("/runs/histogram?buckets=0", 400, "invalid_parameter");

        static IEnumerable<string> Groups(JsonElement count) => count.GetProperty("groups").EnumerateArray().Select(group => $"{Text(group, "key")} {group.GetProperty("count").GetInt32()}");
    }

    [Fact]
    public async Task The_overview_shows_what_stands_and_what_failed()
    {
        var name = NewName("overview");
        await wire.RegisterAsync(name, """{"a":{"required_labels":["none-has-it"]},"b":{}}""");
        await wire.StartAsync(name, "i-1");
        var overview = await wire.GetAsync("/overview?window=1h");
        Assert.True(overview.GetProperty("queued").GetProperty("depth").GetInt32() >= 1);
        Assert.True(overview.GetProperty("starving").GetInt32() >= 1);
        Assert.True(overview.GetProperty("started").GetProperty("count").GetInt32() >= 1);
        Assert.True(overview.GetProperty("workers").GetProperty("fresh").GetInt32() >= 1);
        Assert.Equal(3_600_000, overview.GetProperty("window_ms").GetInt32());
        foreach (var window in (string[])["0s", "31d", "x", ""]) await wire.ProblemAsync($"/overview?window={window}", 400, "invalid_parameter");
    }

    [Fact]
    public async Task A_text_finds_what_it_names()
    {
        var name = NewName("search");
        var worker = await wire.RegisterAsync(name, """{"a":{}}""");
        await wire.StartAsync(name, $"{name}-1");
        await wire.StartAsync(name, $"{name}-10");
        await wire.Wire.MustClaimAsync(worker, "&extras=true");
        var lease = Text((await wire.GetAsync($"/workers/{worker}")).GetProperty("holds")[0], "lease");
        Assert.Equal(["run", "run", "workflow"], (await KindsAsync(name)).Order(StringComparer.Ordinal));
        Assert.Equal([$"{name}-1", $"{name}-10"], (await HitsAsync($"{name}-1")).Select(hit => Text(hit, "instance")));
        Assert.Equal(["worker"], await KindsAsync(worker));
        Assert.Equal(["lease"], await KindsAsync(lease));
        Assert.Empty(await KindsAsync("absent-from-all"));
        Assert.Single(await HitsAsync($"{name}&limit=1"));
        await wire.ProblemAsync("/search", 400, "invalid_parameter");
        await wire.ProblemAsync("/search?q=a&limit=51", 400, "invalid_parameter");

        async Task<IEnumerable<JsonElement>> HitsAsync(string query) => (await wire.GetAsync($"/search?q={query}")).GetProperty("hits").EnumerateArray();
        async Task<IEnumerable<string>> KindsAsync(string query) => (await HitsAsync(query)).Select(hit => Text(hit, "kind"));
    }

    [Fact]
    public async Task The_system_shows_its_settings_without_passwords()
    {
        var system = await wire.GetAsync("/system");
        Assert.Contains(Text(system, "database"), (string[])["postgresql", "sqlite"]);
        var settings = system.GetProperty("settings").EnumerateArray().ToDictionary(setting => Text(setting, "name"), setting => Text(setting, "value"));
        Assert.Equal("1000", settings["Limits:Streams"]);
        Assert.Equal("30.00:00:00", settings["Retention"]);
        Assert.DoesNotContain("DatabaseUrl", settings.Keys);
        Assert.DoesNotContain("assword", system.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Paused_starts_are_refused_in_every_dialect_until_they_are_resumed()
    {
        var name = NewName("paused");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        await wire.StartAsync(name, "i-1");
        var paused = await wire.Wire.PostAsync($"/api/v1/workflows/{name}/pause-starts", """{"reason":"the mirror is away"}""");
        Assert.Equal((200, "the mirror is away"), (paused.Status, Text(paused.Json.GetProperty("starts_paused"), "reason")));
        var schema = $$$"""{"workflow":{"workflow_id":"{{{name}}}","version":"1","steps":{"gate":{"kind":"waitForEvent","event":"go"} } } }""";
        foreach (var (path, body) in new[]
        {
            ($"/api/v1/workflows/{name}/runs", ""), ($"/api/v1/workflows/{name}/runs", """{"dry_run":true}"""), ($"/api/workflows/workflows/{name}/instances", """{"id":"i-2"}"""),
            ($"/workflows/{name}/run-nowait", "{}"), ($"/api/workflows/{name}/run", ""), ("/workflow/dispatch", schema),
        })
        {
            var refused = await wire.Wire.PostAsync(path, body);
            Assert.True(refused.Status == 409 && refused.Body.Contains("the mirror is away", StringComparison.Ordinal), $"{path}: {refused}");
        }

        Assert.Equal("the mirror is away", Text((await wire.GetAsync($"/workflows?q={name}")).GetProperty("items")[0].GetProperty("starts_paused"), "reason"));
        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/runs/{name}/i-1/restart", "")).Status);
        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/workflows/{name}/resume-starts", "")).Status);
        await wire.StartAsync(name, "i-2");
        var trail = (await wire.GetAsync($"/audit?workflow={name}")).GetProperty("items").EnumerateArray().Select(e => Text(e, "action"));
        Assert.Equal(["start", "resume_starts", "restart", "pause_starts", "start"], trail.Where(action => !action.StartsWith("register", StringComparison.Ordinal)));
        Problem(await wire.Wire.PostAsync("/api/v1/workflows/absent/pause-starts", ""), 404, "not_found");
    }

    [Fact]
    public async Task A_drained_worker_gets_no_steps_and_its_leases_can_be_taken_from_it()
    {
        var name = NewName("drain");
        var (one, two) = (await wire.RegisterAsync(name, """{"a":{},"b":{}}"""), await wire.RegisterAsync(name, """{"a":{},"b":{}}"""));
        await wire.StartAsync(name, "i-1");
        var held = await wire.Wire.MustClaimAsync(one);
        var drained = await wire.Wire.PostAsync($"/api/v1/workers/{one}/drain", """{"reason":"new kernel"}""");
        Assert.Equal((200, "new kernel", 0), (drained.Status, Text(drained.Json.GetProperty("drained"), "reason"), drained.Json.GetProperty("released").GetInt32()));
        using (var empty = await app.Client.GetAsync(new Uri($"/workflow/step?worker_id={one}", UriKind.Relative), TestContext.Current.CancellationToken))
            Assert.Equal((204, "true"), ((int)empty.StatusCode, empty.Headers.GetValues("Broker-Drain").Single()));
        Assert.Equal("new kernel", Text((await wire.GetAsync($"/workers/{one}")).GetProperty("drained"), "reason"));

        var released = await wire.Wire.PostAsync($"/api/v1/workers/{one}/release", "");
        Assert.Equal((200, 1), (released.Status, released.Json.GetProperty("released").GetInt32()));
        Assert.Equal(204, (await wire.Wire.ReportAsync(one, held, "FAILED", "\"late\"")).Status);
        await wire.Wire.RunAsync(two, "a");
        await wire.Wire.RunAsync(two, "b");
        Assert.Equal("succeeded", Text(await wire.GetAsync($"/runs/{name}/i-1"), "status"));

        await wire.StartAsync(name, "i-2");
        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/workers/{one}/undrain", "")).Status);
        await wire.Wire.MustClaimAsync(one);
        Problem(await wire.Wire.PostAsync("/api/v1/workers/absent/drain", ""), 404, "not_found");
    }

    [Fact]
    public async Task A_drained_worker_of_the_jobs_dialect_gets_null_and_the_header()
    {
        var id = NewName("w");
        await wire.Wire.PostAsync("/api/workers/register", $$"""{"worker_id":"{{id}}","labels":["{{id}}"]}""");
        var made = await wire.Wire.PostAsync("/api/workflows", $$"""{"name":"d","trigger":"t","jobs":[{"id":"a","name":"a","status":"queued","command":"true","depends_on":[],"required_labels":["{{id}}"]}]}""");
        Assert.Equal(201, made.Status);
        Assert.Equal(202, (await wire.Wire.PostAsync($"/api/workflows/{Text(made.Json, "id")}/run", "")).Status);
        await wire.Wire.PostAsync($"/api/v1/workers/{id}/drain", "");
        using var body = new StringContent($$"""{"worker_id":"{{id}}","labels":["{{id}}"]}""");
        using var claimed = await app.Client.PostAsync(new Uri("/api/jobs/claim", UriKind.Relative), body, TestContext.Current.CancellationToken);
        Assert.Equal(("null", "true"), (await claimed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), claimed.Headers.GetValues("Broker-Drain").Single()));
        await wire.Wire.PostAsync($"/api/v1/workers/{id}/undrain", "");
        Assert.NotEqual("null", (await wire.Wire.PostAsync("/api/jobs/claim", $$"""{"worker_id":"{{id}}","labels":["{{id}}"]}""")).Body);
    }
}

public sealed class PostgresOverviewTests(PostgresApp app) : OverviewSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteOverviewTests(SqliteApp app) : OverviewSuite(app), IClassFixture<SqliteApp>;
