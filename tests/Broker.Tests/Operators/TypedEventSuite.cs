using System.Text.Json;
using Broker.Commands;
using Broker.Tests.App;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Events without a run: starts by subscription, and delivery by key.</summary>
public abstract class TypedEventSuite(BrokerApp app)
{
    private readonly OperatorWire wire = new(app.Client);

    [Fact]
    public async Task An_event_starts_a_run_of_each_workflow_that_wants_it_once()
    {
        var (type, all, some) = (NewName("type"), NewName("all"), NewName("some"));
        await DefineAsync(all, $$"""{"event":"{{type}}"}""");
        await DefineAsync(some, $$"""{"event":"{{type}}","where":"inputs.kind == 'big'"}""");
        Assert.Equal([all], (await SendAsync(type, """{"kind":"small"}""", "e1")).Select(t => Text(t, "workflow")));
        var both = await SendAsync(type, """{"kind":"big","total":50.0}""", "e2");
        Assert.Equal([all, some], both.Select(t => Text(t, "workflow")).Order(StringComparer.Ordinal));
        Assert.All(both, t => Assert.Equal("started", Text(t, "outcome")));
        Assert.Equal("""{"kind":"big","total":50.0}""", (await wire.GetAsync($"/runs/{some}/{Text(both[1], "instance")}")).GetProperty("inputs").GetRawText());
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SendAsync(type, """{"kind":"big","total":50.0}""", "e2")));
        Assert.All(await SendAsync(type, """{"kind":"big","total":50.0}""", "e2"), t => Assert.Equal("repeated", Text(t, "outcome")));
        Assert.All(await SendAsync(type, """{"kind":"big","total":51}""", "e2"), t => Assert.Equal(("skipped", "other_value"), (Text(t, "outcome"), Text(t, "reason"))));
        Assert.Equal((2, 1), ((await wire.InstancesAsync($"workflow={all}")).Count(), (await wire.InstancesAsync($"workflow={some}")).Count()));
    }

    [Fact]
    public async Task A_key_finds_the_run_that_an_earlier_event_started()
    {
        var (type, name) = (NewName("type"), NewName("keyed"));
        await DefineAsync(name, $$"""{"event":"{{type}}","key":"{payload.order}"}""", $$"""{"gate":{"kind":"waitForEvent","event":"{{type}}","successors":{"default":["again"]} },"again":{"kind":"waitForEvent","event":"{{type}}","predecessors":["gate"]} }""");
        Assert.Equal(("started", "4711"), Outcome(await SendAsync(type, """{"order":4711}""", "e1")));
        Assert.Equal(("repeated", "4711"), Outcome(await SendAsync(type, """{"order":4711}""", "e1")));
        Assert.Equal("waiting", Text(await wire.GetAsync($"/runs/{name}/4711"), "status"));
        Assert.Equal(("delivered", "4711"), Outcome(await SendAsync(type, """{"order":4711,"paid":true}""", "e2")));

        // The second wait does not take the same event again.
        await SendAsync(type, """{"order":4711,"paid":true}""", "e2");
        Assert.Equal("waiting", Text(await wire.GetAsync($"/runs/{name}/4711"), "status"));
        Assert.Equal("delivered", Outcome(await SendAsync(type, """{"order":4711}""", "e3")).Outcome);
        Assert.Equal("succeeded", Text(await wire.GetAsync($"/runs/{name}/4711"), "status"));
        Assert.Equal(("skipped", "ended"), Reason(await SendAsync(type, """{"order":4711}""", "e4")));
        Assert.Equal(("skipped", "no_key"), Reason(await SendAsync(type, "{}", "e5")));
        Assert.Equal(("started", "4712"), Outcome(await SendAsync(type, """{"order":4712}""", null)));
    }

    [Fact]
    public async Task A_subscription_may_only_find_runs_and_goes_with_its_definition()
    {
        var (type, name) = (NewName("type"), NewName("found"));
        await DefineAsync(name, $$"""[{"event":"{{type}}","key":"{payload.id}","start":false}]""", $$"""{"gate":{"kind":"waitForEvent","event":"{{type}}"} }""");
        Assert.Equal(("skipped", "no_instance"), Reason(await SendAsync(type, """{"id":"a"}""", "e1")));
        await wire.StartAsync(name, "a");
        Assert.Equal(("delivered", "a"), Outcome(await SendAsync(type, """{"id":"a"}""", "e1")));
        await wire.Wire.RegisterAsync($$"""{"workflow_id":"{{name}}","version":"2","steps":{} }""");
        Assert.Empty(await SendAsync(type, """{"id":"a"}""", "e2"));
    }

    [Fact]
    public async Task Refused_starts_have_their_reason()
    {
        var (type, paused, typed) = (NewName("type"), NewName("a"), NewName("b"));
        await DefineAsync(paused, $$"""{"event":"{{type}}"}""");
        await DefineAsync(typed, $$"""{"event":"{{type}}"}""", """{"a":{} },"inputs":{"n":{"type":"number","required":true} }""");
        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/workflows/{paused}/pause-starts", "")).Status);
        Assert.Equal(["starts_paused", "inputs_refused"], (await SendAsync(type, "{}", "e1")).Select(t => Text(t, "reason")));
        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/workflows/{paused}/resume-starts", "")).Status);
        Assert.Equal("started", Text((await SendAsync(type, "{}", "e1"))[0], "outcome"));
    }

    [Theory]
    [InlineData("{}", "/type")]
    [InlineData("""{"type":""}""", "/type")]
    [InlineData("""{"type":"a","event_id":""}""", "/event_id")]
    [InlineData("""{"type":"a","value":"\ud800"}""", "/value")]
    [InlineData("""{"type":"a","key":"b"}""", "/key")]
    public async Task A_faulty_event_is_refused(string body, string place) =>
        Assert.Equal(place, Text(Problem(await wire.Wire.PostAsync("/api/v1/events", body), 422, "invalid_body"), "place"));

    [Fact]
    public async Task The_command_needs_no_run()
    {
        var (type, name) = (NewName("type"), NewName("cli"));
        await DefineAsync(name, $$"""{"event":"{{type}}","key":"{payload.id}"}""", """{"gate":{"kind":"waitForEvent","event":"go"} }""");
        Assert.Equal($"{name}/a  started\n", await CliAsync("send", type, "--data", """{"id":"a"}""", "--event-id", "e1"));
        Assert.Equal("no workflow subscribes to it\n", await CliAsync("send", NewName("none")));
        Assert.Equal("delivered\n", await CliAsync("send", $"{name}/a", "go"));
    }

    private async Task DefineAsync(string name, string on, string steps = """{"a":{} }""")
    {
        var reply = await wire.Wire.PostAsync("/worker/register", $$"""[{"workflow_id":"{{name}}","version":"1","on":{{on}},"steps":{{steps}} }]""");
        Assert.True(reply.Status == 200, reply.ToString());
    }

    private async Task<IReadOnlyList<JsonElement>> SendAsync(string type, string value, string? id)
    {
        var reply = await wire.Wire.PostAsync("/api/v1/events", $$"""{"type":"{{type}}","value":{{value}}{{(id is null ? "" : $",\"event_id\":\"{id}\"")}} }""");
        Assert.True(reply.Status == 200, reply.ToString());
        return [.. reply.Json.GetProperty("targets").EnumerateArray()];
    }

    private static (string Outcome, string Instance) Outcome(IReadOnlyList<JsonElement> targets) => (Text(Assert.Single(targets), "outcome"), Text(targets[0], "instance"));

    private static (string Outcome, string Reason) Reason(IReadOnlyList<JsonElement> targets) => (Text(Assert.Single(targets), "outcome"), Text(targets[0], "reason"));

    private async Task<string> CliAsync(params string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        Assert.True(await CommandLine.RunAsync([.. words, "--server", app.Address.ToString()], output, errors) == 0, errors.ToString());
        return output.ToString();
    }
}

/// <summary>With one broker.</summary>
public sealed class SqliteTypedEventTests(SqliteApp app) : TypedEventSuite(app), IClassFixture<SqliteApp>;

/// <summary>On PostgreSQL.</summary>
public sealed class PostgresTypedEventTests(PostgresApp app) : TypedEventSuite(app), IClassFixture<PostgresApp>;
