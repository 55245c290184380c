using System.Globalization;
using System.Text;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Commands to runs, events, starts and tags over HTTP.</summary>
public abstract class SteerSuite(BrokerApp app)
{
    private static readonly string[] Actions = ["cancel", "pause", "resume", "restart", "terminate", "delete", "send_event"];

    private readonly OperatorWire wire = new(app.Client);

    [Fact]
    public async Task Each_action_is_answered_as_the_run_said_before()
    {
        var name = NewName("steer");
        var worker = await wire.RegisterAsync(name, """{"a":{}}""");
        foreach (var state in (string[])["queued", "running", "pausing", "paused", "succeeded", "failed", "cancelled"])
        {
            foreach (var action in Actions)
            {
                var id = $"{state}-{action}";
                await BringAsync(worker, name, id, state);
                var before = await wire.GetAsync($"/runs/{name}/{id}");
                Assert.Equal((id, state), (id, Text(before, "status")));
                var said = before.GetProperty("actions").EnumerateArray().Single(a => Text(a, "name") == action).GetProperty("allowed").GetBoolean();
                var reply = await ActAsync(name, id, action);
                Assert.True(reply.Status == (said ? 200 : 409), $"{id}: said {said}, answered {reply}");
                if (!said) Assert.Equal((state, "not_allowed"), (Text(Problem(reply, 409, "not_allowed"), "run_status"), Text(reply.Json, "code")));
                await wire.Wire.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{name}/{id}", null);
            }
        }
    }

    [Fact]
    public async Task A_command_answers_with_the_status_after_it()
    {
        var name = NewName("after");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        await wire.StartAsync(name, "i-1");
        Assert.Equal("0 paused", Line(await ActAsync(name, "i-1", "pause")));
        Assert.Equal("0 waiting", Line(await ActAsync(name, "i-1", "resume", """{"reason":"ready"}""")));
        Assert.Equal("1 waiting", Line(await ActAsync(name, "i-1", "restart")));
        Assert.Equal("1 cancelled", Line(await ActAsync(name, "i-1", "cancel", """{"if_run":1,"grace_ms":0}""")));
        Assert.Equal("1 deleted", Line(await ActAsync(name, "i-1", "delete")));
        await wire.ProblemAsync($"/runs/{name}/i-1", 404, "not_found");
        var audit = (await wire.GetAsync($"/audit?workflow={name}")).GetProperty("items").EnumerateArray().Select(e => $"{Text(e, "action")} {(e.TryGetProperty("detail", out var d) ? d.GetString() : "")}".Trim());
        Assert.Equal(["purge", "cancel", "restart", "resume ready", "pause", "start"], audit.Where(line => !line.StartsWith("register", StringComparison.Ordinal)));

        static string Line(Reply reply) => reply.Status == 200
            ? string.Create(CultureInfo.InvariantCulture, $"{reply.Json.GetProperty("run").GetInt32()} {Text(reply.Json, "status")}") : reply.ToString();
    }

    [Theory]
    [InlineData("""{"reasons":"x"}""", "/reasons")]
    [InlineData("""{"reason":1}""", "/reason")]
    [InlineData("""{"if_run":"1"}""", "/if_run")]
    [InlineData("""{"if_run":1.5}""", "/if_run")]
    [InlineData("""{"grace_ms":3600001}""", "/grace_ms")]
    [InlineData("""{"reason":"a","reason":"b"}""", "/reason")]
    [InlineData("[]", null)]
    public async Task A_member_out_of_order_is_refused_with_its_place_and_changes_nothing(string body, string? place)
    {
        var name = NewName("member");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        await wire.StartAsync(name, "i-1");
        var problem = Problem(await ActAsync(name, "i-1", "cancel", body), 422, "invalid_body");
        if (place is not null) Assert.Equal(place, Text(problem, "place"));
        Assert.Equal("waiting", Text(await wire.GetAsync($"/runs/{name}/i-1"), "status"));
    }

    [Fact]
    public async Task A_command_for_another_run_or_of_no_json_is_refused()
    {
        var name = NewName("other");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        await wire.StartAsync(name, "i-1");
        Problem(await ActAsync(name, "i-1", "cancel", """{"if_run":1}"""), 409, "other_run");
        Problem(await ActAsync(name, "i-1", "cancel", "{"), 400, "invalid_json");
        Problem(await ActAsync(name, "absent", "cancel"), 404, "not_found");
        Problem(await wire.Wire.PostAsync($"/api/v1/runs/{name}/i-1/cancel?force=true", ""), 400, "unknown_parameter");
        Problem(await ActAsync(name, "i-1", "pause", """{"grace_ms":1}"""), 422, "invalid_body");
    }

    [Fact]
    public async Task An_event_is_checked_delivered_and_taken_once()
    {
        var name = NewName("event");
        var reply = await wire.Wire.PostAsync("/worker/register", $$$"""
            [{"workflow_id":"{{{name}}}","version":"1","events":{"go":{"schema":{"type":"object","required":["ok"],"properties":{"ok":{"type":"boolean"} } } } },
              "steps":{"one":{"kind":"waitForEvent","event":"go"},"two":{"kind":"waitForEvent","event":"go"} } }]
            """);
        Assert.True(reply.Status == 200, reply.ToString());
        await wire.StartAsync(name, "i-1");
        Assert.Equal("/value/ok", Text(Problem(await SendAsync("""{"type":"go","value":{"ok":1}}"""), 422, "invalid_event"), "place"));
        Assert.Equal("/type", Text(Problem(await SendAsync("""{"value":{}}"""), 422, "invalid_body"), "place"));
        Assert.Equal("/step", Text(Problem(await SendAsync("""{"type":"go","step":"x"}"""), 422, "invalid_body"), "place"));
        for (var i = 0; i < 2; i++) Assert.Equal(200, (await SendAsync("""{"type":"go","value":{"ok":true},"step":"two","event_id":"e-1"}""")).Status);
        var steps = (await wire.GetAsync($"/runs/{name}/i-1/steps")).GetProperty("items").EnumerateArray().Select(s => Text(s, "status"));
        Assert.Equal(["waiting", "succeeded"], steps);
        var kept = await SendAsync("""{"type":"later","value":[1]}""");
        Assert.Equal(("kept", "waiting"), (Text(kept.Json, "outcome"), Text(kept.Json, "run_status")));
        Assert.Equal("delivered", Text((await SendAsync("""{"type":"go","value":{"ok":true}}""")).Json, "outcome"));
        Assert.Equal("succeeded", Text(Problem(await SendAsync("""{"type":"go","value":{"ok":true}}"""), 409, "not_allowed"), "run_status"));

        Task<Reply> SendAsync(string body) => wire.Wire.PostAsync($"/api/v1/runs/{name}/i-1/events", body);
    }

    [Fact]
    public async Task A_run_is_started_once_checked_attached_and_tried_out()
    {
        var name = NewName("start");
        var reply = await wire.Wire.PostAsync("/worker/register", $$$"""
            [{"workflow_id":"{{{name}}}","version":"1","events":{"StartEvent":{"schema":{"type":"object","properties":{"n":{"type":"integer"} } } } },"steps":{"gate":{"kind":"waitForEvent","event":"go"} } }]
            """);
        Assert.True(reply.Status == 200, reply.ToString());
        await wire.Wire.RegisterAsync($$"""{"workflow_id":"{{name}}","version":"2","steps":{"a":{} } }""");

        var tried = await StartAsync("""{"instance":"i-1","dry_run":true}""");
        Assert.Equal((200, "2", false), (tried.Status, Text(tried.Json, "version"), tried.Json.GetProperty("started").GetBoolean()));
        await wire.ProblemAsync($"/runs/{name}/i-1", 404, "not_found");

        var started = await StartAsync("""{"instance":"i-1","version":"1","inputs":{"n":1},"tags":{"branch":"main","n":4.50},"priority":5}""");
        Assert.True(started.Status == 201, started.ToString());
        var run = await wire.GetAsync($"/runs/{name}/i-1");
        Assert.Equal(("1", """{"n":1}""", """{"branch":"main","n":4.50}"""), (Text(run, "version"), run.GetProperty("inputs").GetRawText(), run.GetProperty("tags").GetRawText()));
        Problem(await StartAsync("""{"instance":"i-1"}"""), 409, "already_exists");
        Problem(await StartAsync("""{"instance":"i-1","dry_run":true}"""), 409, "already_exists");
        Assert.Equal((200, "1"), (await StartAsync("""{"instance":"i-1","if_exists":"attach"}""") is var attached ? (attached.Status, Text(attached.Json, "version")) : default));
        Assert.Equal(201, (await StartAsync("")).Status);
        Assert.Equal("/inputs/n", Text(Problem(await StartAsync("""{"version":"1","inputs":{"n":"x"}}"""), 422, "invalid_inputs"), "place"));
        Assert.Equal("/inputs/n", Text(Problem(await StartAsync("""{"version":"1","inputs":{"n":"x"},"dry_run":true}"""), 422, "invalid_inputs"), "place"));
        foreach (var (body, place) in new[]
        {
            ("""{"version":"9"}""", "/version"), ("""{"instance":"a/b"}""", "/instance"), ("""{"instance":"a.1"}""", "/instance"), ("""{"priority":1001}""", "/priority"),
            ("""{"if_exists":"join"}""", "/if_exists"), ("""{"start_at":"x"}""", "/start_at"), ("""{"delay_ms":-1}""", "/delay_ms"), ("""{"input":{}}""", "/input"),
        })
        {
            Assert.Equal(place, Text(Problem(await StartAsync(body), 422, "invalid_body"), "place"));
        }

        Assert.Equal("/tags/branch", Text(Problem(await StartAsync("""{"tags":{"branch":[1]}}"""), 422, "invalid_tags"), "place"));
        Problem(await wire.Wire.PostAsync("/api/v1/workflows/absent/runs", "{}"), 404, "not_found");

        Task<Reply> StartAsync(string body) => wire.Wire.PostAsync($"/api/v1/workflows/{name}/runs", body);
    }

    [Fact]
    public async Task A_repeated_start_is_answered_with_the_run_of_the_first_time()
    {
        var name = NewName("repeat");
        await wire.RegisterAsync(name, """{"a":{}}""");
        var first = await StartAsync("""{"inputs":{"n":1}}""", "k-1");
        var again = await StartAsync("""{"inputs":{"n":1}}""", "k-1");
        Assert.Equal((201, 200), (first.Status, again.Status));
        Assert.Equal((Text(first.Json, "instance"), true), (Text(again.Json, "instance"), again.Json.GetProperty("replayed").GetBoolean()));
        Problem(await StartAsync("""{"inputs":{"n":2}}""", "k-1"), 422, "key_reused");
        Problem(await StartAsync("{}", "a b"), 400, "invalid_header");

        async Task<Reply> StartAsync(string body, string key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/workflows/{name}/runs") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
            using var answer = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);
            return new((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString(), await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Runs_are_found_by_their_tags()
    {
        var name = NewName("tagged");
        await wire.RegisterAsync(name, """{"gate":{"kind":"waitForEvent","event":"go"}}""");
        foreach (var (id, tags) in new[] { ("i-1", """{"branch":"main","n":42}"""), ("i-2", """{"branch":"feature/ü, x","n":42}"""), ("i-3", "{}") })
            Assert.Equal(201, (await wire.Wire.PostAsync($"/api/v1/workflows/{name}/runs", $$"""{"instance":"{{id}}","tags":{{tags}}}""")).Status);
        Assert.Equal(["i-1"], await WhereAsync("tag.branch=main"));
        Assert.Equal(["i-2"], await WhereAsync("tag.branch=\"feature/ü, x\" tag.n=42"));
        Assert.Equal(["i-2", "i-1"], await WhereAsync("tag.n=41,42"));
        Assert.Equal(["i-3", "i-2"], await WhereAsync("tag.branch!=main"));

        var put = await wire.Wire.SendAsync(HttpMethod.Put, $"/api/v1/runs/{name}/i-3/tags", """{"branch":"main"}"""u8.ToArray());
        Assert.Equal((200, """{"tags":{"branch":"main"}}"""), (put.Status, put.Body));
        Assert.Equal(["i-3", "i-1"], await WhereAsync("tag.branch=main"));
        Assert.Equal(200, (await wire.Wire.SendAsync(HttpMethod.Put, $"/api/v1/runs/{name}/i-1/tags", "{}"u8.ToArray())).Status);
        Assert.Equal(["i-3"], await WhereAsync("tag.branch=main"));
        Problem(await wire.Wire.SendAsync(HttpMethod.Put, $"/api/v1/runs/{name}/i-1/tags", """{"a":null}"""u8.ToArray()), 422, "invalid_tags");
        Problem(await wire.Wire.SendAsync(HttpMethod.Put, $"/api/v1/runs/{name}/i-1/tags", "[]"u8.ToArray()), 422, "invalid_tags");

        Task<IEnumerable<string>> WhereAsync(string where) => wire.InstancesAsync($"workflow={name}&where={Uri.EscapeDataString(where)}");
    }

    private Task<Reply> ActAsync(string workflow, string instance, string action, string body = "") => action switch
    {
        "delete" => wire.Wire.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{workflow}/{instance}", body.Length == 0 ? null : Encoding.UTF8.GetBytes(body)),
        "send_event" => wire.Wire.PostAsync($"/api/v1/runs/{workflow}/{instance}/events", """{"type":"other"}"""),
        _ => wire.Wire.PostAsync($"/api/v1/runs/{workflow}/{instance}/{action}", body),
    };

    private async Task BringAsync(string worker, string workflow, string instance, string state)
    {
        await wire.StartAsync(workflow, instance);
        if (state is "running" or "pausing" or "succeeded" or "failed")
        {
            var step = await wire.Wire.MustClaimAsync(worker);
            Assert.Equal(instance, Text(step, "instance_id"));
            if (state == "succeeded") await wire.Wire.ReportAsync(worker, step, "SUCCEEDED", "1");
            if (state == "failed") await wire.Wire.ReportAsync(worker, step, "FAILED", """{"name":"E","message":"no"}""");
        }

        if (state is "pausing" or "paused") Assert.Equal(200, (await ActAsync(workflow, instance, "pause")).Status);
        if (state == "cancelled") Assert.Equal(200, (await ActAsync(workflow, instance, "cancel")).Status);
    }
}

public sealed class PostgresSteerTests(PostgresApp app) : SteerSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteSteerTests(SqliteApp app) : SteerSuite(app), IClassFixture<SqliteApp>;
