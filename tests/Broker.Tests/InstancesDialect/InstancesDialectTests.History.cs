using System.Net;
using System.Text.Json;
using Broker.Testing;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.InstancesDialect;

public abstract partial class InstancesDialectTests
{
    // Instances contract 4: the approval of its example, from start to end.
    [Fact]
    public async Task An_approval_sleeps_waits_and_completes()
    {
        var name = Flows.Name("approvals");
        var worker = await StepWorker.RegisterAsync(Client, Flows.Approval(name, sleepMs: 1000));
        (await Cli.CreateAsync(name, "order-7", """{"amount":12}""")).Expect(HttpStatusCode.OK);
        var fresh = (await Cli.DetailsAsync(name, "order-7"))["meta"];
        Assert.Equal(JsonValueKind.Null, fresh.GetProperty("startedAt").ValueKind);
        Assert.Equal(("prepare", "waiting", 0), ShownStep(fresh.GetProperty("currentStep")));
        Assert.Equal([("prepare", "waiting", 0)], (await Cli.HistoryAsync(name, "order-7"))["steps"].EnumerateArray().Select(ShownStep));

        await worker.DoAsync("prepare", """{"ok":true}""");
        Assert.Equal("waiting", await Cli.StatusAsync(name, "order-7"));
        Assert.Equal("sleep", (await Cli.DetailsAsync(name, "order-7"))["meta"].GetProperty("currentStep").GetProperty("type").GetString());
        await StepIsAsync(name, "order-7", "wait-approval", "waiting");

        var waiting = (await Cli.DetailsAsync(name, "order-7")).Expect(HttpStatusCode.OK);
        var step = waiting["meta"].GetProperty("currentStep");
        Assert.Equal(
            ["stepKey", "name", "type", "status", "attempts", "maxAttempts", "timeoutMs", "nextRetryAt", "wakeAt", "waitEventType"],
            step.EnumerateObject().Select(m => m.Name));
        Assert.Equal("approval", step.GetProperty("waitEventType").GetString());
        Assert.Equal(900000, step.GetProperty("timeoutMs").GetInt32());
        Assert.Equal("""{"status":{"status":"waiting"},"accepted":true}""", (await Cli.EventAsync(name, "order-7", "approval", """{"by":"kim"}""")).Expect(HttpStatusCode.OK).Text);

        var last = await worker.TakeAsync("finish");
        Assert.Equal("kim", last.GetProperty("payload").GetProperty("results").GetProperty("wait-approval").GetProperty("payload").GetProperty("by").GetString());
        await worker.ReportAsync(last, """{"approved":true}""");

        var done = (await Cli.DetailsAsync(name, "order-7")).Expect(HttpStatusCode.OK);
        Assert.Equal("""{"status":"complete","output":{"approved":true},"runGeneration":1}""", done["details"].GetRawText());
        Assert.NotEqual(JsonValueKind.Null, done["meta"].GetProperty("completedAt").ValueKind);
        Assert.Equal("finish", done["meta"].GetProperty("currentStep").GetProperty("stepKey").GetString());

        var history = (await Cli.HistoryAsync(name, "order-7", "?order=asc")).Expect(HttpStatusCode.OK);
        Assert.Equal(["prepare", "cool-down", "wait-approval", "finish"], Keys(history));
        Assert.All(history["steps"].EnumerateArray(), s => Assert.Equal("completed", s.GetProperty("status").GetString()));
        var row = history["events"][0];
        Assert.Equal("wait-approval", row.GetProperty("consumedByStepKey").GetString());
        Assert.Equal(row.GetProperty("createdAt").GetString(), history["steps"][2].GetProperty("result").GetProperty("timestamp").GetString());
    }

    private static (string?, string?, int) ShownStep(JsonElement step) =>
        (step.GetProperty("stepKey").GetString(), step.GetProperty("status").GetString(), step.GetProperty("attempts").GetInt32());

    // Instances contract 4: output is left out when it is null.
    [Fact]
    public async Task A_null_output_is_left_out()
    {
        var name = await StartedAsync("a");
        var worker = await StepWorker.RegisterAsync(Client, Flows.One(name));

        await worker.DoAsync("work");

        Assert.Equal("""{"status":"complete","runGeneration":1}""", (await Cli.DetailsAsync(name, "a"))["details"].GetRawText());
    }

    // Instances contract 13: a FAILED report's result is the error, or a string named Error.
    [Theory]
    [InlineData("""{"name":"CardDeclined","message":"no money"}""", """{"name":"CardDeclined","message":"no money"}""")]
    [InlineData("\"boom\"", """{"name":"Error","message":"boom"}""")]
    public async Task A_failed_step_makes_the_instance_errored(string result, string error)
    {
        var name = await StartedAsync("a");
        var worker = await StepWorker.RegisterAsync(Client, Flows.One(name));

        await worker.ReportAsync(await worker.TakeAsync("work"), result, "FAILED");

        Assert.Equal($$"""{"status":"errored","error":{{error}},"runGeneration":1}""", (await Cli.DetailsAsync(name, "a"))["details"].GetRawText());
        var step = (await Cli.HistoryAsync(name, "a"))["steps"][0];
        Assert.Equal("errored", step.GetProperty("status").GetString());
        Assert.Equal(error, step.GetProperty("error").GetRawText());
    }

    // Instances contract 4: waiting with nextRetryAt and error; the instance is waiting.
    [Fact]
    public async Task A_retry_delay_shows_as_waiting()
    {
        var name = Flows.Name("retry");
        var worker = await StepWorker.RegisterAsync(Client, Flows.One(name, ""","retries":{"limit":2,"delay_ms":600000}"""));
        (await Cli.CreateAsync(name, "a")).Expect(HttpStatusCode.OK);

        await worker.ReportAsync(await worker.TakeAsync("work"), "\"boom\"", "FAILED");

        var details = await Cli.DetailsAsync(name, "a");
        var step = details["meta"].GetProperty("currentStep");
        Assert.Equal("waiting", details["details"].GetProperty("status").GetString());
        Assert.Equal(("waiting", 1, 3), (step.GetProperty("status").GetString(), step.GetProperty("attempts").GetInt32(), step.GetProperty("maxAttempts").GetInt32()));
        Assert.Equal("boom", step.GetProperty("error").GetProperty("message").GetString());
        Assert.NotEqual(JsonValueKind.Null, step.GetProperty("nextRetryAt").ValueKind);
        Assert.Null(await worker.TakeAsync());
    }

    // Instances contract 6: logs are gated; level and category must both match.
    [Fact]
    public async Task Log_lines_are_shown_on_request()
    {
        var name = await StartedAsync("a");
        var worker = await StepWorker.RegisterAsync(Client, Flows.One(name));
        await worker.DoAsync("work", logsJson: """
            [{"level":"info","message":"one"},{"level":"warn","message":"two","category":"billing","data":{"n":1.0}},
             {"level":"warn","message":"three"},{"level":"info","message":"four"}]
            """);

        var without = (await Cli.HistoryAsync(name, "a", "?logLevel=warn&logsCursor=x")).Expect(HttpStatusCode.OK);
        Assert.False(without.Has("logs") || without.Has("logsCursor") || without.Has("logsHasNextPage"));

        Assert.Equal(["four", "three", "two", "one"], await LinesAsync("?includeLogs=true"));
        Assert.Equal(["two", "three"], await LinesAsync("?includeLogs=true&logLevel=warn&order=asc"));
        Assert.Equal(["two"], await LinesAsync("?includeLogs=true&logLevel=warn&logCategory=billing"));
        Assert.Empty(await LinesAsync("?includeLogs=true&logLevel=error"));

        var page = (await Cli.HistoryAsync(name, "a", "?includeLogs=true&pageSize=3&order=asc")).Expect(HttpStatusCode.OK);
        Assert.True(page["logsHasNextPage"].GetBoolean());
        Assert.False(page.Has("stepsCursor") || page.Has("eventsCursor"));
        Assert.Equal(["four"], await LinesAsync($"?includeLogs=true&logsCursor={page["logsCursor"].GetString()}"));
        var two = page["logs"][1];
        Assert.Equal("""{"n":1.0}""", two.GetProperty("data").GetRawText());
        Assert.Equal(("billing", "work", 1), (two.GetProperty("category").GetString(), two.GetProperty("stepKey").GetString(), two.GetProperty("attempt").GetInt32()));
        Assert.Equal("workflow", page["logs"][0].GetProperty("category").GetString());
        Assert.False(two.GetProperty("isReplay").GetBoolean());

        async Task<IEnumerable<string?>> LinesAsync(string query) =>
            (await Cli.HistoryAsync(name, "a", query)).Expect(HttpStatusCode.OK)["logs"].EnumerateArray().Select(l => l.GetProperty("message").GetString());
    }

    // Instances contract 6: the three lists page independently; size and order in the cursor win.
    [Fact]
    public async Task The_lists_of_a_history_page_independently()
    {
        var name = Flows.Name("history");
        var worker = await StepWorker.RegisterAsync(Client, Flows.Two(name));
        (await Cli.CreateAsync(name, "a")).Expect(HttpStatusCode.OK);
        foreach (var type in new[] { "e1", "e2", "e3" }) (await Cli.EventAsync(name, "a", type)).Expect(HttpStatusCode.OK);
        await worker.DoAsync("first");
        await worker.DoAsync("second");

        var page = (await Cli.HistoryAsync(name, "a", "?pageSize=1&order=asc")).Expect(HttpStatusCode.OK);
        Assert.Equal(["first"], Keys(page));
        Assert.Equal(["e1"], Types(page));

        var steps = (await Cli.HistoryAsync(name, "a", $"?pageSize=2&stepsCursor={page["stepsCursor"].GetString()}")).Expect(HttpStatusCode.OK);
        Assert.Equal(["second"], Keys(steps));
        Assert.False(steps["stepsHasNextPage"].GetBoolean());
        Assert.Equal(["e3", "e2"], Types(steps));

        var events = (await Cli.HistoryAsync(name, "a", $"?eventsCursor={page["eventsCursor"].GetString()}&stepsCursor={page["eventsCursor"].GetString()}")).Expect(HttpStatusCode.OK);
        Assert.Equal(["e2"], Types(events));
        Assert.Equal(["second", "first"], Keys(events));
    }

    // Instances contract 6: a run that does not exist is empty; an unknown instance is 404 whatever the number.
    [Theory]
    [InlineData("7", 7)]
    [InlineData("99999999999", 99999999999)]
    public async Task A_run_that_never_was_is_empty(string number, long shown)
    {
        var name = await StartedAsync("a");

        var answer = (await Cli.HistoryAsync(name, "a", $"?runNumber={number}&includeLogs=true")).Expect(HttpStatusCode.OK);

        Assert.Equal(
            $$"""{"runNumber":{{shown}},"steps":[],"events":[],"emissions":[],"logs":[],"stepsHasNextPage":false,"eventsHasNextPage":false,"logsHasNextPage":false}""",
            answer.Text);
        (await Cli.HistoryAsync(name, "b", $"?runNumber={number}")).Expect(HttpStatusCode.NotFound, "INSTANCE_NOT_FOUND");
    }

    [Theory]
    [InlineData("runNumber=-1")]
    [InlineData("runNumber=1.5")]
    [InlineData("runNumber=one")]
    [InlineData("order=up")]
    [InlineData("includeLogs=yes")]
    [InlineData("logLevel=fatal")]
    [InlineData("logCategory=%00")]
    public async Task A_bad_query_value_is_a_400_that_names_it(string query)
    {
        var name = await StartedAsync("a");

        var answer = (await Cli.HistoryAsync(name, "a", "?" + query)).Expect(HttpStatusCode.BadRequest, "FRAGNO_VALIDATION_ERROR");

        Assert.Equal(query[..query.IndexOf('=')], answer["issues"][0].GetProperty("path")[0].GetString());
    }

    private Task StepIsAsync(string name, string id, string step, string status) => Eventually.TrueAsync(
        async () => (await Cli.DetailsAsync(name, id))["meta"].TryGetProperty("currentStep", out var current)
            && current.GetProperty("stepKey").GetString() == step && current.GetProperty("status").GetString() == status,
        expected: $"{step} is {status}");

    private static IEnumerable<string?> Keys(Answer history) => history["steps"].EnumerateArray().Select(s => s.GetProperty("stepKey").GetString());

    private static IEnumerable<string?> Types(Answer history) => history["events"].EnumerateArray().Select(e => e.GetProperty("type").GetString());
}
