using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>Broker contract 3.4 to 3.6, 4.2, 4.7.</summary>
public abstract partial class BrokerDialectTests
{
    [Fact]
    public async Task A_registration_answers_with_a_new_id_as_a_JSON_string()
    {
        var schema = $"[{Flows.Single(Flows.NewName("same"))}]";

        var first = await Wire.PostAsync("/worker/register", schema);
        var second = await Wire.PostAsync("/worker/register", schema);

        Assert.Equal((200, "application/json"), (first.Status, first.ContentType));
        Assert.Equal(JsonValueKind.String, first.Json.ValueKind);
        Assert.NotEmpty(first.Text);
        Assert.NotEqual(first.Text, second.Text);
    }

    [Fact]
    public async Task A_worker_may_register_nothing() => Assert.Equal(200, (await Wire.PostAsync("/worker/register", "[]")).Status);

    [Fact]
    public async Task A_changed_definition_is_refused_and_nothing_of_the_request_is_kept()
    {
        var (known, other) = (Flows.NewName("known"), Flows.NewName("other"));
        await Wire.RegisterAsync(Flows.Single(known));

        var reply = await Wire.PostAsync("/worker/register", $"[{Flows.Single(other)},{Flows.Chain(known, 2)}]");

        Assert.Equal(409, reply.Status);
        Assert.Contains("workflow schema mismatch", reply.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await Wire.RegisterAsync(Flows.Chain(other, 3));
    }

    [Fact]
    public async Task Two_definitions_of_one_name_in_one_registration_conflict_and_the_same_one_twice_does_not()
    {
        var name = Flows.NewName("twice");

        Assert.Equal(409, (await Wire.PostAsync("/worker/register", $"[{Flows.Single(name)},{Flows.Chain(name, 2)}]")).Status);
        Assert.Equal(200, (await Wire.PostAsync("/worker/register", $"[{Flows.Single(name)},{Flows.Single(name)}]")).Status);
    }

    [Fact]
    public async Task Definitions_that_are_equal_as_JSON_values_are_the_same()
    {
        var name = Flows.NewName("equal");
        await Wire.RegisterAsync(Flows.Single(name));

        var reply = await Wire.PostAsync("/worker/register", $$$"""[{"steps":{"step0":{"name":"step0"}},"version":"1","workflow_id":"{{{name}}}"}]""");

        Assert.Equal(200, reply.Status);
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("[{", 400)]
    [InlineData("[NaN]", 400)]
    [InlineData("{}", 422)]
    [InlineData("[1]", 422)]
    [InlineData("""[{"workflow_id":"x","version":1,"steps":{}}]""", 422)]
    [InlineData("""[{"workflow_id":"a\u0000b","version":"1","steps":{}}]""", 422)]
    [InlineData("""[{"workflow_id":"\ud800","version":"1","steps":{}}]""", 422)]
    [InlineData("""[{"workflow_id":"x","version":"1","steps":{"\ud800":{}}}]""", 422)]
    [InlineData("""[{"workflow_id":"x","version":"1","steps":{"a":{"name":"b"}}}]""", 422)]
    public async Task A_malformed_registration_is_refused(string body, int status)
    {
        var reply = await Wire.PostAsync("/worker/register", body);

        Assert.Equal((status, "application/json"), (reply.Status, reply.ContentType));
        Assert.NotEmpty(reply.Json.GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task Every_problem_of_a_registration_is_listed_with_its_place()
    {
        var reply = await Wire.PostAsync(
            "/worker/register",
            """[{"workflow_id":"a","version":"1","steps":{}},{"workflow_id":"b","version":"1","steps":{"s":{"predecessors":["x"],"successors":{"default":["y"]}}}},7]""");

        Assert.Equal(422, reply.Status);
        var paths = reply.Json.GetProperty("problems").EnumerateArray().Select(p => p.GetProperty("path").GetString()!).ToList();
        Assert.True(paths.Count(p => p.StartsWith("[1].steps.s", StringComparison.Ordinal)) >= 2, reply.Body);
        Assert.Contains("[2]", paths);
        Assert.DoesNotContain(paths, p => p.StartsWith("[0]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keep_alive_takes_an_empty_body_that_says_it_is_JSON()
    {
        var worker = await Wire.RegisterAsync();

        Assert.Equal(new Reply(204, null, ""), await Wire.PostAsync($"/worker/keep-alive?worker_id={worker}", ""));
    }

    [Fact]
    public async Task A_call_of_a_worker_that_was_never_registered_is_404()
    {
        Assert.Equal(404, (await Wire.PostAsync("/worker/keep-alive?worker_id=nobody", "")).Status);
        Assert.Equal(404, (await Wire.GetAsync("/workflow/step?worker_id=nobody")).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?worker_id=")]
    [InlineData("?worker_id=a%00b")]
    public async Task Worker_calls_need_a_worker_id(string query)
    {
        Assert.Equal(400, (await Wire.PostAsync("/worker/keep-alive" + query, "")).Status);
        Assert.Equal(400, (await Wire.GetAsync("/workflow/step" + query)).Status);
        Assert.Equal(400, (await Wire.PostAsync("/workflow/step" + query, "{}")).Status);
    }

    [Fact]
    public async Task Workers_are_listed_with_exactly_their_keys()
    {
        var worker = await Wire.RegisterAsync();

        var reply = await Wire.GetAsync("/workers");

        Assert.Equal((200, "application/json"), (reply.Status, reply.ContentType));
        Assert.Matches($$"""\{"worker_id":"{{Regex.Escape(worker)}}","connected_at":\d{10}\.\d{1,6},"last_seen":\d{10}\.\d{1,6},"last_task":null\}""", reply.Body);
    }

    [Theory]
    [InlineData("SUCCEEDED", true)]
    [InlineData("SKIPPED", false)]
    [InlineData("FAILED", false)]
    public async Task The_last_task_shows_whether_it_succeeded(string state, bool success)
    {
        var name = Flows.NewName("last");
        var worker = await Wire.RegisterAsync(Flows.Single(name));
        var instance = await Wire.DispatchAsync(Flows.Single(name));
        await Wire.RunAsync(worker, "step0", state);

        var last = (await FindWorkerAsync(worker)).GetProperty("last_task").GetRawText();

        Assert.Equal(
            $$"""{"workflow_id":"{{name}}","instance_id":"{{instance}}","step_name":"step0","success":{{(success ? "true" : "false")}}}""", last);
    }

    private async Task<JsonElement> FindWorkerAsync(string id) =>
        (await Wire.GetAsync("/workers")).Json.EnumerateArray().Single(w => w.GetProperty("worker_id").GetString() == id);
}
