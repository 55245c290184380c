using System.Text.Json;
using Broker.Tests.App;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Reads beside the list of runs: steps, attempts, events, logs, causes, workflows, waits, queues, workers.</summary>
public abstract class OperatorReadSuite(BrokerApp app)
{
    private readonly OperatorWire wire = new(app.Client);

    [Fact]
    public async Task Steps_are_listed_in_pages_also_those_that_were_not_reached()
    {
        var name = NewName("steps");
        var worker = await wire.RegisterAsync(name, """{"a":{"successors":{"default":["b"]}},"b":{"predecessors":["a"],"successors":{"default":["c"]}},"c":{"predecessors":["b"]}}""");
        await wire.StartAsync(name, "i-1");
        await wire.Wire.RunAsync(worker, "a", result: """{"n":1.0}""");
        var run = $"/runs/{name}/i-1";
        var first = await wire.GetAsync($"{run}/steps?limit=2");
        Assert.Equal(["a succeeded task", "b ready task"], first.GetProperty("items").EnumerateArray().Select(Line));
        Assert.Equal(["c pending task"], (await wire.GetAsync($"{run}/steps?limit=2&cursor={Text(first, "next")}")).GetProperty("items").EnumerateArray().Select(Line));
        Assert.Equal(["b ready task", "c pending task"], (await wire.GetAsync($"{run}/steps?status=ready,pending")).GetProperty("items").EnumerateArray().Select(Line));
        await wire.ProblemAsync($"{run}/steps?status=done", 400, "invalid_parameter");
        await wire.ProblemAsync($"{run}/steps?status=ready&cursor={Text(first, "next")}", 400, "cursor_mismatch");

        var a = await wire.GetAsync($"{run}/steps/a");
        Assert.Equal("""{"n":1.0}""", a.GetProperty("output").GetRawText());
        Assert.Equal(("b", "ready"), (Text(a.GetProperty("successors")[0], "step"), Text(a.GetProperty("successors")[0], "status")));
        Assert.Equal("succeeded", Text(a.GetProperty("causes")[0], "code"));
        var attempt = Assert.Single((await wire.GetAsync($"{run}/steps/a/attempts")).GetProperty("items").EnumerateArray());
        Assert.Equal(("succeeded", worker), (Text(attempt, "outcome"), Text(attempt, "worker")));
        await wire.ProblemAsync($"{run}/steps/x/attempts", 404, "not_found");

        static string Line(JsonElement step) => $"{Text(step, "name")} {Text(step, "status")} {Text(step, "kind")}";
    }

    [Fact]
    public async Task Each_attempt_of_a_step_keeps_its_error()
    {
        var name = NewName("attempts");
        var worker = await wire.RegisterAsync(name, """{"a":{"retry_policy":{"max_retries":2,"backoff":"None"}}}""");
        await wire.StartAsync(name, "i-1");
        foreach (var error in (string[])["one", "two"])
            await wire.Wire.ReportAsync(worker, await wire.Wire.MustClaimAsync(worker), "FAILED", $$"""{"name":"E","message":"{{error}}","retryable":true}""");
        await wire.Wire.MustClaimAsync(worker);
        var attempts = (await wire.GetAsync($"/runs/{name}/i-1/steps/a/attempts")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(["0 failed", "1 failed", "2 running"], attempts.Select(a => $"{a.GetProperty("attempt").GetInt32()} {Text(a, "outcome")}"));
        Assert.Equal(["one", "two"], attempts.Take(2).Select(a => Text(a.GetProperty("error"), "message")));
    }

    [Fact]
    public async Task Events_of_both_directions_are_read_in_pages()
    {
        var name = NewName("events");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"},"more":{"kind":"waitForEvent","event":"more"}}""");
        await wire.StartAsync(name, "i-1");
        foreach (var type in (string[])["other", "go", "other"])
            Assert.Equal(200, (await wire.Wire.PostAsync($"/api/workflows/workflows/{name}/instances/i-1/events", $$"""{"type":"{{type}}","payload":{"n":1.50} }""")).Status);
        var first = await wire.GetAsync($"/runs/{name}/i-1/events?limit=2");
        var sent = first.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(["other", "go"], sent.Select(e => Text(e, "type")));
        Assert.Equal("gate", Text(sent[1], "consumed_by"));
        Assert.Equal("""{"n":1.50}""", sent[1].GetProperty("value").GetRawText());
        Assert.Single((await wire.GetAsync($"/runs/{name}/i-1/events?limit=2&cursor={Text(first, "next")}")).GetProperty("items").EnumerateArray());
        Assert.Single((await wire.GetAsync($"/runs/{name}/i-1/events?type=go")).GetProperty("items").EnumerateArray());
        Assert.Empty((await wire.GetAsync($"/runs/{name}/i-1/events?direction=out")).GetProperty("items").EnumerateArray());
        await wire.ProblemAsync($"/runs/{name}/i-1/events?direction=up", 400, "invalid_parameter");
    }

    [Fact]
    public async Task Lines_are_read_forward_backward_by_step_and_as_text_and_are_found()
    {
        var name = NewName("logs");
        var worker = await wire.RegisterAsync(name, """{"a":{"successors":{"default":["b"]}},"b":{"predecessors":["a"]}}""");
        await wire.StartAsync(name, "i-1");
        foreach (var from in (int[])[0, 5])
        {
            var lines = string.Join(',', Enumerable.Range(from, 5).Select(i => $$"""{"message":"line {{i}} Größe"}"""));
            await wire.Wire.ReportAsync(worker, await wire.Wire.MustClaimAsync(worker), "SUCCEEDED", "1", $",\"logs\":[{lines}]");
        }

        var run = $"/runs/{name}/i-1";
        Assert.Equal(Lines(0, 10), await TextsAsync($"{run}/logs"));
        Assert.Equal(Lines(5, 5), await TextsAsync($"{run}/logs?step=b"));
        Assert.Equal(Lines(7, 3), await TextsAsync($"{run}/logs?tail=true&limit=3"));
        var page = await wire.GetAsync($"{run}/logs?limit=4");
        Assert.Equal(Lines(4, 4), await TextsAsync($"{run}/logs?limit=4&after={page.GetProperty("next").GetInt64()}"));
        var last = await wire.GetAsync($"{run}/logs?tail=true&limit=3");
        Assert.Equal(Lines(4, 3), await TextsAsync($"{run}/logs?limit=3&before={last.GetProperty("next").GetInt64()}"));
        Assert.Equal(["line 7 Größe"], await TextsAsync($"{run}/logs/find?q=LINE%207"));
        Assert.Empty(await TextsAsync($"{run}/logs/find?q=LINE%207&case=true"));
        Assert.Equal(Lines(0, 2), await TextsAsync($"{run}/logs/find?q=gr%C3%B6%C3%9Fe&limit=2"));
        var text = await wire.Wire.GetAsync($"/api/v1{run}/logs?format=text&step=a");
        Assert.Equal((200, "text/plain; charset=utf-8", string.Concat(Lines(0, 5).Select(line => $"{line}\n"))), (text.Status, text.ContentType, text.Body));
        await wire.ProblemAsync($"{run}/logs?step=x", 404, "not_found");
        await wire.ProblemAsync($"{run}/logs?after=x", 400, "invalid_parameter");
        await wire.ProblemAsync($"{run}/logs?after=1&tail=true", 400, "invalid_parameter");
        await wire.ProblemAsync($"{run}/logs/find", 400, "invalid_parameter");

        static IEnumerable<string> Lines(int from, int count) => Enumerable.Range(from, count).Select(i => $"line {i} Größe");
        async Task<IEnumerable<string>> TextsAsync(string path) => (await wire.GetAsync(path)).GetProperty("items").EnumerateArray().Select(line => Text(line, "text"));
    }

    [Fact]
    public async Task Open_runs_are_grouped_by_what_they_lack()
    {
        var (name, label) = (NewName("stuck"), NewName("gpu"));
        var worker = await wire.RegisterAsync(name, $$"""{"train":{"required_labels":["{{label}}"]},"gate":{"kind":"waitForEvent","event":"go"} }""");
        for (var i = 0; i < 3; i++) await wire.StartAsync(name, $"i-{i}");
        var groups = (await wire.GetAsync($"/explain?workflow={name}")).GetProperty("causes").EnumerateArray().ToDictionary(group => Text(group, "code"));
        Assert.Equal(["no_worker", "waiting_for_event"], groups.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((3, 3, label), (groups["no_worker"].GetProperty("runs").GetInt32(), groups["no_worker"].GetProperty("steps").GetInt32(), groups["no_worker"].GetProperty("labels")[0].GetString()));
        Assert.Contains(label, Text(groups["no_worker"], "message"), StringComparison.Ordinal);
        Assert.StartsWith("Start a worker", Text(groups["no_worker"], "advice"), StringComparison.Ordinal);
        Assert.Equal("go", Text(groups["waiting_for_event"], "event"));

        var queue = (await wire.GetAsync("/queues")).GetProperty("items").EnumerateArray().Single(q => q.TryGetProperty("workflow", out var w) && w.GetString() == name);
        Assert.Equal((3, 0), (queue.GetProperty("depth").GetProperty("count").GetInt32(), queue.GetProperty("workers_able").GetInt32()));
        Assert.Equal(200, (await wire.Wire.GetAsync($"/workflow/step?worker_id={worker}&labels={label}")).Status);
        queue = (await wire.GetAsync("/queues")).GetProperty("items").EnumerateArray().Single(q => q.TryGetProperty("workflow", out var w) && w.GetString() == name);
        Assert.Equal((2, 1, 1), (queue.GetProperty("depth").GetProperty("count").GetInt32(), queue.GetProperty("leased").GetInt32(), queue.GetProperty("workers_able").GetInt32()));
        Assert.True(queue.GetProperty("oldest_ms").GetInt64() >= 0);

        var one = await wire.GetAsync($"/runs/{name}/i-0/explain");
        Assert.Equal(["leased", "waiting_for_event"], one.GetProperty("causes").EnumerateArray().Select(group => Text(group, "code")).Order(StringComparer.Ordinal));
        Assert.Equal(["leased", "queued", "waiting_for_event"], (await wire.GetAsync($"/explain?workflow={name}")).GetProperty("causes").EnumerateArray().Select(group => Text(group, "code")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Workers_show_their_leases()
    {
        var name = NewName("busy");
        var worker = await wire.RegisterAsync(name, """{"a":{},"b":{}}""");
        await wire.StartAsync(name, "i-1");
        await wire.Wire.MustClaimAsync(worker);
        var info = await wire.GetAsync($"/workers/{worker}");
        Assert.Equal(("registered", "fresh", 1, name), (Text(info, "kind"), Text(info, "status"), info.GetProperty("leases").GetInt32(), info.GetProperty("workflows")[0].GetString()));
        var held = Assert.Single(info.GetProperty("holds").EnumerateArray());
        Assert.Equal(("i-1", 0), (Text(held, "instance"), held.GetProperty("run").GetInt32()));
        Assert.Equal([worker], (await wire.GetAsync($"/workers?workflow={name}&busy=true")).GetProperty("items").EnumerateArray().Select(w => Text(w, "id")));
        Assert.Equal(200, (await wire.Wire.PostAsync("/api/workers/register", $$"""{"worker_id":"l-{{name}}","labels":["{{name}}"]}""")).Status);
        Assert.Equal([$"l-{name}"], (await wire.GetAsync($"/workers?label={name}")).GetProperty("items").EnumerateArray().Select(w => Text(w, "id")));
        await wire.ProblemAsync("/workers/absent", 404, "not_found");
        await wire.ProblemAsync("/workers?status=gone", 400, "invalid_parameter");

        var ids = new List<string>();
        for (var cursor = ""; ;)
        {
            var page = await wire.GetAsync($"/workers?limit=1{cursor}");
            ids.AddRange(page.GetProperty("items").EnumerateArray().Select(w => Text(w, "id")));
            if (page.GetProperty("next").GetString() is not { } next) break;
            cursor = $"&cursor={next}";
        }

        Assert.Equal(ids.Distinct(), ids);
        Assert.Contains(worker, ids);
    }

    [Fact]
    public async Task Workflows_and_their_versions_are_listed_and_shown()
    {
        var name = NewName("shape");
        await wire.RegisterAsync(name, """{"a":{"successors":{"default":["b"]}},"b":{"predecessors":["a"],"required_labels":["x"]}}""");
        await wire.StartAsync(name, "i-1");
        var listed = Assert.Single((await wire.GetAsync($"/workflows?q={name[..^1].ToUpperInvariant()}")).GetProperty("items").EnumerateArray());
        Assert.Equal((name, "1", "steps", 2), (Text(listed, "name"), Text(listed, "version"), Text(listed, "kind"), listed.GetProperty("steps").GetInt32()));
        Assert.Equal(("i-1", "queued"), (Text(listed.GetProperty("last_run"), "instance"), Text(listed.GetProperty("last_run"), "status")));
        var first = await wire.GetAsync("/workflows?limit=1");
        Assert.NotEqual(Text(first.GetProperty("items")[0], "name"), Text((await wire.GetAsync($"/workflows?limit=1&cursor={Text(first, "next")}")).GetProperty("items")[0], "name"));

        await wire.Wire.RegisterAsync($$"""{"workflow_id":"{{name}}","version":"2","steps":{"a":{} } }""");
        var shown = await wire.GetAsync($"/workflows/{name}?version=1");
        Assert.False(shown.GetProperty("is_latest").GetBoolean());
        Assert.Equal(["a", "b"], shown.GetProperty("steps").EnumerateArray().Select(step => Text(step, "name")));
        Assert.Equal("a", shown.GetProperty("steps")[1].GetProperty("predecessors")[0].GetString());
        Assert.Equal(["2 True", "1 False"], (await wire.GetAsync($"/workflows/{name}/versions")).GetProperty("items").EnumerateArray().Select(v => $"{Text(v, "version")} {v.GetProperty("is_latest").GetBoolean()}"));
        foreach (var path in (string[])["/workflows/absent", "/workflows/absent/versions", $"/workflows/{name}?version=9"]) await wire.ProblemAsync(path, 404, "not_found");
    }

    [Fact]
    public async Task Waits_for_people_differ_from_those_for_events()
    {
        var name = NewName("waits");
        var reply = await wire.Wire.PostAsync("/worker/register", $$$"""
            [{"workflow_id":"{{{name}}}","version":"1","events":{"approval":{"types":["HumanResponseEvent"],"schema":{"type":"object","properties":{"ok":{"type":"boolean"} } } } },
              "steps":{"ask":{"kind":"waitForEvent","event":"approval","timeout_ms":3600000},"gate":{"kind":"waitForEvent","event":"go","timeout_ms":7200000},"nap":{"kind":"sleep","duration_ms":3600000} } }]
            """);
        Assert.True(reply.Status == 200, reply.ToString());
        await wire.StartAsync(name, "i-1");
        await wire.StartAsync(name, "i-2");
        Assert.Equal(["i-1 ask True", "i-2 ask True", "i-1 gate False", "i-2 gate False"], (await WaitsAsync("")).Select(Line));
        Assert.Equal(["i-1 ask True", "i-2 ask True"], (await WaitsAsync("&for=people")).Select(Line));
        Assert.Equal(["i-1 gate False", "i-2 gate False"], (await WaitsAsync("&for=events&type=go,other")).Select(Line));
        Assert.Empty(await WaitsAsync("&overdue=true"));
        var page = await wire.GetAsync($"/waiting?workflow={name}&limit=1");
        Assert.Equal("boolean", Text(page.GetProperty("items")[0].GetProperty("schema").GetProperty("properties").GetProperty("ok"), "type"));
        Assert.Equal(["i-2 ask True", "i-1 gate False", "i-2 gate False"], (await wire.GetAsync($"/waiting?workflow={name}&limit=3&cursor={Text(page, "next")}")).GetProperty("items").EnumerateArray().Select(Line));

        static string Line(JsonElement wait) => $"{Text(wait, "instance")} {Text(wait, "step")} {wait.GetProperty("for_people").GetBoolean()}";
        async Task<IEnumerable<JsonElement>> WaitsAsync(string query) => (await wire.GetAsync($"/waiting?workflow={name}{query}")).GetProperty("items").EnumerateArray();
    }
}

public sealed class PostgresOperatorReadTests(PostgresApp app) : OperatorReadSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteOperatorReadTests(SqliteApp app) : OperatorReadSuite(app), IClassFixture<SqliteApp>;
