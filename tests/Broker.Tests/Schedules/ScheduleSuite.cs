using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Broker.Commands;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.Operators;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Schedules;

/// <summary>Schedules over HTTP and by commands, on a broker that serves them.</summary>
public abstract class ScheduleSuite(BrokerApp app)
{
    private readonly OperatorWire wire = new(app.Client);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_schedule_of_every_second_starts_runs_by_itself()
    {
        var name = await FlowAsync();
        Assert.Equal(200, (await PutAsync(name, $$"""{"workflow":"{{name}}","every_ms":1000,"overlap":"allow"}""")).Status);
        await Eventually.TrueAsync(async () => (await wire.GetAsync($"/schedules/{name}")).GetProperty("started").GetInt32() >= 2, TimeSpan.FromSeconds(30));
        Assert.Equal(200, (await SendAsync(HttpMethod.Delete, name)).Status);
        var ids = await wire.InstancesAsync($"workflow={name}&limit=200");
        Assert.All(ids, id => Assert.Matches($"^{name}-[0-9]{{8}}T[0-9]{{6}}Z$", id));
        await wire.ProblemAsync($"/schedules/{name}", 404, "not_found");
    }

    [Fact]
    public async Task A_schedule_is_made_shown_listed_changed_paused_and_deleted()
    {
        var name = await FlowAsync();
        var made = await PutAsync(name, $$"""{"workflow":"{{name}}","cron":"0 3 * * *","timezone":"Europe/Berlin","inputs":{"n":1.0},"catch_up":{"runs":"none"} }""");
        Assert.Equal((200, false, "skip", "none"), (made.Status, made.Json.GetProperty("owned").GetBoolean(), Text(made.Json, "overlap"), Text(made.Json.GetProperty("catch_up"), "runs")));
        Assert.Equal("""["0 3 * * *"]""", made.Json.GetProperty("cron").GetRawText());
        Assert.Equal("""{"n":1.0}""", made.Json.GetProperty("inputs").GetRawText());
        var same = await PutAsync(name, $$"""{"workflow":"{{name}}","timezone":"Europe/Berlin","cron":"0 3 * * *","inputs":{"n":1.0},"catch_up":{"runs":"none"} }""");
        Assert.Equal(made.Json.GetRawText(), same.Json.GetRawText());
        var listed = Assert.Single((await wire.GetAsync($"/schedules?q={name}")).GetProperty("items").EnumerateArray());
        Assert.False(listed.TryGetProperty("inputs", out _));

        var next = (await wire.GetAsync($"/schedules/{name}/next?count=3")).GetProperty("instants").EnumerateArray().Select(i => Text(i, "local")).ToList();
        Assert.Equal(3, next.Count);
        Assert.All(next, local => Assert.Matches("T03:00:00\\+0[12]:00$", local));
        Assert.Equal(next[0], listed.GetProperty("next").GetDateTimeOffset().ToOffset(DateTimeOffset.Parse(next[0], null).Offset).ToString("yyyy-MM-ddTHH:mm:sszzz", null));

        var paused = (await SendAsync(HttpMethod.Post, $"{name}/pause", """{"reason":"until Monday"}""")).Json.GetProperty("paused");
        Assert.Equal(("anonymous", "until Monday"), (Text(paused, "by"), Text(paused, "note")));
        Assert.Single((await wire.GetAsync($"/schedules?q={name}&paused=true")).GetProperty("items").EnumerateArray());
        Assert.Empty((await wire.GetAsync($"/schedules?q={name}&paused=false")).GetProperty("items").EnumerateArray());
        Assert.False((await PutAsync(name, $$"""{"workflow":"{{name}}","every_ms":3600000,"paused":false}""")).Json.TryGetProperty("paused", out _));
        var trigger = await SendAsync(HttpMethod.Post, $"{name}/trigger", "{}");
        Assert.Equal((201, "triggered", "started"), (trigger.Status, Text(trigger.Json, "kind"), Text(trigger.Json, "status")));
        Assert.Equal(name, Text(await wire.GetAsync($"/runs/{name}/{Text(trigger.Json, "instance")}"), "workflow"));
        Assert.Equal(200, (await SendAsync(HttpMethod.Delete, name)).Status);
        Assert.Equal(404, (await SendAsync(HttpMethod.Delete, name)).Status);
        var actions = (await wire.GetAsync($"/audit?workflow={name}&limit=50")).GetProperty("items").EnumerateArray().Select(e => Text(e, "action"));
        Assert.Equal(["delete_schedule", "pause_schedule", "put_schedule", "put_schedule", "resume_schedule", "trigger_schedule"], actions.Where(a => a.EndsWith("_schedule", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("""{"cron":"@daily"}""", "/workflow")]
    [InlineData("""{"workflow":"NAME"}""", "/cron")]
    [InlineData("""{"workflow":"NAME","cron":"0 3 * *"}""", "/cron")]
    [InlineData("""{"workflow":"NAME","cron":"@daily","timezone":"Mars/Base"}""", "/timezone")]
    [InlineData("""{"workflow":"NAME","every_ms":10}""", "/every_ms")]
    [InlineData("""{"workflow":"NAME","every_ms":1000,"overlap":"both"}""", "/overlap")]
    [InlineData("""{"workflow":"NAME","every_ms":1000,"catch_up":{"runs":"some"}}""", "/catch_up/runs")]
    [InlineData("""{"workflow":"NAME","every_ms":1000,"catch_up":{"run":"all"}}""", "/catch_up")]
    [InlineData("""{"workflow":"NAME","every_ms":1000,"tags":{"schedule":"x"}}""", "/tags/schedule")]
    [InlineData("""{"workflow":"NAME","every_ms":1000,"inputs":{"a":"\ud800"}}""", "/inputs/a")]
    [InlineData("""{"workflow":"NAME","every_ms":1000,"tag":{}}""", "/tag")]
    public async Task A_faulty_rule_is_refused_with_its_place(string body, string place)
    {
        var name = await FlowAsync();
        var problem = Problem(await PutAsync(name, body.Replace("NAME", name, StringComparison.Ordinal)), 422, "invalid_body");
        Assert.Contains(place, problem.GetProperty("errors").EnumerateArray().Select(e => Text(e, "place")));
    }

    [Fact]
    public async Task Other_faults_are_refused()
    {
        var name = await FlowAsync();
        Problem(await PutAsync("a:b", $$"""{"workflow":"{{name}}","every_ms":1000}"""), 422, "invalid_body");
        Problem(await PutAsync(name, """{"workflow":"absent","every_ms":1000}"""), 422, "invalid_body");
        Assert.Equal(200, (await PutAsync(name, $$"""{"workflow":"{{name}}","every_ms":1000,"paused":true}""")).Status);
        foreach (var body in (string[])["{}", """{"from":"2030-01-01T00:00:00Z","to":"2029-01-01T00:00:00Z"}""", """{"from":"2020-01-01T00:00:00Z","to":"9000-01-01T00:00:00Z"}""", """{"from":"2020-01-01T00:00:00Z","to":"2020-01-02T00:00:00Z"}"""])
            Problem(await SendAsync(HttpMethod.Post, $"{name}/backfill", body), 422, "invalid_body");
        await wire.ProblemAsync($"/schedules/{name}/next?count=0", 400, "invalid_parameter");
        await wire.ProblemAsync($"/schedules/{name}/history?status=odd", 400, "invalid_parameter");
        foreach (var path in (string[])["", "/next", "/history"]) await wire.ProblemAsync($"/schedules/absent{path}", 404, "not_found");
        await SendAsync(HttpMethod.Delete, name);
    }

    [Fact]
    public async Task Schedules_of_a_definition_come_and_go_with_it_and_others_stay()
    {
        var name = await FlowAsync(""","schedules":[{"name":"night","cron":"0 3 * * *"}]""");
        Assert.Equal(200, (await PutAsync($"{name}-own", $$"""{"workflow":"{{name}}","every_ms":3600000}""")).Status);
        Assert.True((await wire.GetAsync($"/schedules/{name}:night")).GetProperty("owned").GetBoolean());
        Problem(await PutAsync($"{name}:night", $$"""{"workflow":"{{name}}","every_ms":1000}"""), 409, "from_definition");
        Problem(await SendAsync(HttpMethod.Delete, $"{name}:night"), 409, "from_definition");
        Assert.Equal(200, (await SendAsync(HttpMethod.Post, $"{name}:night/pause", "{}")).Status);
        Assert.StartsWith($"{name}:night-manual-2", Text((await SendAsync(HttpMethod.Post, $"{name}:night/trigger", "")).Json, "instance"), StringComparison.Ordinal);
        var refused = await wire.Wire.PostAsync("/worker/register", $$"""[{"workflow_id":"{{name}}","version":"2","steps":{},"schedules":[{"cron":"no"}]}]""");
        Assert.Equal(422, refused.Status);
        Assert.Contains("schedules[0].cron", refused.ToString(), StringComparison.Ordinal);
        await wire.Wire.RegisterAsync($$"""{"workflow_id":"{{name}}","version":"2","steps":{"a":{} } }""");
        await wire.ProblemAsync($"/schedules/{name}:night", 404, "not_found");
        Assert.Equal($"{name}-own", Text(Assert.Single((await wire.GetAsync($"/schedules?q={name}")).GetProperty("items").EnumerateArray()), "name"));
        await SendAsync(HttpMethod.Delete, $"{name}-own");
    }

    [Fact]
    public async Task A_workflow_file_has_schedules()
    {
        var name = NewName("filed");
        const string Text1 = "name: n\non:\n  schedule:\n    - cron: '17 3 * * *'\n      timezone: Europe/Berlin\n    - { name: fast, every_ms: 60000, overlap: allow, inputs: { who: x } }\ninputs: { who: { type: string } }\njobs: { a: { run: make } }\n";
        Assert.Equal(200, (await ApplyAsync(name, Text1)).Status);
        Assert.Equal("Europe/Berlin", Text(await wire.GetAsync($"/schedules/{name}:1"), "timezone"));
        Assert.Equal("""{"who":"x"}""", (await wire.GetAsync($"/schedules/{name}:fast")).GetProperty("inputs").GetRawText());
        var refused = Problem(await ApplyAsync(name, Text1.Replace("17 3", "17 33", StringComparison.Ordinal)), 422, "invalid_workflow");
        var fault = Assert.Single(refused.GetProperty("errors").EnumerateArray());
        Assert.Equal("line 4", Text(fault, "place"));
        Assert.StartsWith("on.schedule[0].cron: hour: '33'", Text(fault, "message"), StringComparison.Ordinal);
        Assert.Contains("did you mean every_ms?", (await ApplyAsync(name, Text1.Replace("every_ms", "every-m", StringComparison.Ordinal))).ToString(), StringComparison.Ordinal);
        Assert.Equal(200, (await ApplyAsync(name, "name: n\non: push\njobs: { a: { run: make } }\n")).Status);
        await wire.ProblemAsync($"/schedules/{name}:1", 404, "not_found");
    }

    [Fact]
    public async Task Watchers_are_hinted_at_changes()
    {
        var name = await FlowAsync();
        using var response = await app.Client.SendAsync(new(HttpMethod.Get, "/api/v1/changes?topics=schedules"), HttpCompletionOption.ResponseHeadersRead, Ct);
        await using var events = SseParser.Create(await response.Content.ReadAsStreamAsync(Ct)).EnumerateAsync(Ct).GetAsyncEnumerator(Ct);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(200, (await PutAsync(name, $$"""{"workflow":"{{name}}","every_ms":3600000}""")).Status);
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), Ct));
        Assert.Contains("schedules", events.Current.Data, StringComparison.Ordinal);
        await SendAsync(HttpMethod.Delete, name);
    }

    [Fact]
    public async Task Commands_make_show_trigger_backfill_pause_resume_and_delete()
    {
        var name = await FlowAsync();
        Assert.Contains($"workflow  {name}", await CliAsync("create", name, name, "--cron", "0 3 * * *", "--cron", "0 5 * * 1", "--timezone", "Europe/Berlin", "--inputs", """{"a":1}""", "--spec", """{"jitter_ms":1000}"""), StringComparison.Ordinal);
        Assert.Contains("0 3 * * * | 0 5 * * 1 Europe/Berlin", await CliAsync("list", "--search", name), StringComparison.Ordinal);
        Assert.Contains("when      0 3 * * *", await CliAsync("show", name), StringComparison.Ordinal);
        Assert.Equal(3, (await CliAsync("next", name, "--count", "3", "-o", "name")).Trim().Split('\n').Length);
        Assert.Contains("triggered", await CliAsync("trigger", name, "--reason", "a test"), StringComparison.Ordinal);
        Assert.Contains("2026-03-29 01:00:00Z", await CliAsync("backfill", name, "--from", "2026-03-28T12:00:00Z", "--to", "2026-03-29T12:00:00Z", "--dry-run"), StringComparison.Ordinal);
        Assert.Contains("paused: until Monday", await CliAsync("pause", name, "--reason", "until Monday"), StringComparison.Ordinal);
        Assert.Contains(name, await CliAsync("list", "--paused", "-o", "name"), StringComparison.Ordinal);
        Assert.Contains("active", await CliAsync("resume", name), StringComparison.Ordinal);
        Assert.Contains("started", await CliAsync("history", name, "--status", "started"), StringComparison.Ordinal);
        Assert.Contains(name, await CliAsync("delete", name), StringComparison.Ordinal);
    }

    private async Task<string> FlowAsync(string more = "")
    {
        var name = NewName("sched");
        await wire.Wire.RegisterAsync($$"""{"workflow_id":"{{name}}","version":"1","steps":{"a":{} }{{more}}}""");
        return name;
    }

    private Task<BrokerDialect.Reply> PutAsync(string name, string body) => wire.Wire.SendAsync(HttpMethod.Put, $"/api/v1/schedules/{name}", Encoding.UTF8.GetBytes(body));

    private Task<BrokerDialect.Reply> SendAsync(HttpMethod method, string path, string? body = null) => wire.Wire.SendAsync(method, $"/api/v1/schedules/{path}", body is null ? null : Encoding.UTF8.GetBytes(body));

    private Task<BrokerDialect.Reply> ApplyAsync(string name, string text) =>
        wire.Wire.SendAsync(HttpMethod.Put, $"/api/v1/workflows/{name}", JsonSerializer.SerializeToUtf8Bytes(new { format = "yaml", text }));

    private async Task<string> CliAsync(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync(["schedules", .. args, "--server", app.Address.ToString()], output, error);
        Assert.True(code == 0, error.ToString());
        return output.ToString();
    }
}

/// <summary>With one broker.</summary>
public sealed class SqliteScheduleSuiteTests(SqliteApp app) : ScheduleSuite(app), IClassFixture<SqliteApp>;

/// <summary>On PostgreSQL.</summary>
public sealed class PostgresScheduleSuiteTests(PostgresApp app) : ScheduleSuite(app), IClassFixture<PostgresApp>;
