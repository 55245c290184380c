using System.Net;
using System.Text.Json;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.InstancesDialect;

public abstract partial class InstancesDialectTests
{
    // Instances contract 7, second table: the answer of each command in each state, and the state after it.
    [Theory]
    [InlineData("queued", "pause", 200, "paused")]
    [InlineData("queued", "resume", 200, "queued")]
    [InlineData("queued", "terminate", 200, "terminated")]
    [InlineData("queued", "restart", 200, "queued")]
    [InlineData("waiting", "pause", 200, "paused")]
    [InlineData("waiting", "resume", 200, "waiting")]
    [InlineData("waiting", "terminate", 200, "terminated")]
    [InlineData("waiting", "restart", 200, "queued")]
    [InlineData("running", "pause", 200, "waitingForPause")]
    [InlineData("running", "resume", 200, "running")]
    [InlineData("running", "terminate", 200, "terminated")]
    [InlineData("running", "restart", 200, "queued")]
    [InlineData("paused", "pause", 200, "paused")]
    [InlineData("paused", "resume", 200, "queued")]
    [InlineData("paused", "terminate", 200, "terminated")]
    [InlineData("paused", "restart", 200, "queued")]
    [InlineData("waitingForPause", "pause", 200, "waitingForPause")]
    [InlineData("waitingForPause", "resume", 200, "waitingForPause")]
    [InlineData("waitingForPause", "terminate", 200, "terminated")]
    [InlineData("waitingForPause", "restart", 200, "queued")]
    [InlineData("complete", "pause", 409, "complete")]
    [InlineData("complete", "resume", 200, "complete")]
    [InlineData("complete", "terminate", 409, "complete")]
    [InlineData("complete", "restart", 200, "queued")]
    [InlineData("errored", "pause", 409, "errored")]
    [InlineData("errored", "resume", 200, "errored")]
    [InlineData("errored", "terminate", 409, "errored")]
    [InlineData("errored", "restart", 200, "queued")]
    [InlineData("terminated", "pause", 409, "terminated")]
    [InlineData("terminated", "resume", 200, "terminated")]
    [InlineData("terminated", "terminate", 409, "terminated")]
    [InlineData("terminated", "restart", 200, "queued")]
    public async Task Steering(string from, string action, int status, string to)
    {
        var (name, _) = await InStateAsync(from);

        var answer = await Cli.SteerAsync(name, "a", action);

        if (status == 200) Assert.Equal("""{"ok":true}""", answer.Expect(HttpStatusCode.OK).Text);
        else answer.Expect(HttpStatusCode.Conflict, "INSTANCE_TERMINAL");
        var after = await Cli.DetailsAsync(name, "a");
        Assert.Equal(to, after["details"].GetProperty("status").GetString());
        Assert.Equal(to == "waitingForPause", after["meta"].GetProperty("pauseRequested").GetBoolean());
    }

    [Theory]
    [InlineData("queued", "queued")]
    [InlineData("waiting", "waiting")]
    [InlineData("running", "running")]
    [InlineData("paused", "paused")]
    [InlineData("waitingForPause", "waitingForPause")]
    [InlineData("complete", null)]
    [InlineData("errored", null)]
    [InlineData("terminated", null)]
    public async Task Sending_an_event_returns_the_status_before(string from, string? before)
    {
        var (name, _) = await InStateAsync(from);

        var answer = await Cli.EventAsync(name, "a", "go", "1.0");

        if (before is null) answer.Expect(HttpStatusCode.Conflict, "INSTANCE_TERMINAL");
        else Assert.Equal(before, answer.Expect(HttpStatusCode.OK)["status"].GetProperty("status").GetString());
        Assert.Equal(before is null ? 0 : 1, (await Cli.HistoryAsync(name, "a"))["events"].GetArrayLength() - (from == "complete" ? 1 : 0));
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("restart")]
    [InlineData("terminate")]
    public async Task Steering_an_unknown_instance_is_a_404(string action)
    {
        var name = await StartedAsync("a");

        (await Cli.SteerAsync(name, "b", action)).Expect(HttpStatusCode.NotFound, "INSTANCE_NOT_FOUND");
        (await Cli.SteerAsync(name, "b.1", action)).Expect(HttpStatusCode.BadRequest, "INVALID_INSTANCE_ID");
        (await Cli.SteerAsync(Flows.Name("none"), "b", action)).Expect(HttpStatusCode.NotFound, "WORKFLOW_NOT_FOUND");
    }

    // Instances contract 7: the running step ends, then the pause holds; nothing is handed out until resume.
    [Fact]
    public async Task A_pause_lets_the_running_step_end()
    {
        var name = Flows.Name("pause");
        var worker = await StepWorker.RegisterAsync(Client, Flows.Two(name));
        await Cli.CreateAsync(name, "a");
        var work = await worker.TakeAsync("first");
        await Cli.SteerAsync(name, "a", "pause");

        await worker.ReportAsync(work);
        Assert.Equal("paused", await Cli.StatusAsync(name, "a"));
        Assert.Null(await worker.TakeAsync());

        await Cli.SteerAsync(name, "a", "resume");
        Assert.Equal("queued", await Cli.StatusAsync(name, "a"));
        await worker.DoAsync("second");
        Assert.Equal("complete", await Cli.StatusAsync(name, "a"));
    }

    [Fact]
    public async Task A_result_after_terminate_is_discarded()
    {
        var (name, worker) = await InStateAsync("queued");
        var work = await worker.TakeAsync("prepare");
        await Cli.SteerAsync(name, "a", "terminate");

        await worker.ReportAsync(work, "1");

        Assert.Equal("""{"status":"terminated","runGeneration":1}""", (await Cli.DetailsAsync(name, "a"))["details"].GetRawText());
        Assert.Equal(JsonValueKind.Null, (await Cli.HistoryAsync(name, "a"))["steps"][0].GetProperty("result").ValueKind);
    }

    // Instances contract 7: restart keeps params and createdAt, clears the rest, and cuts the old run off.
    [Fact]
    public async Task A_restart_is_a_new_run_that_the_old_one_cannot_touch()
    {
        var name = Flows.Name("restart");
        var worker = await StepWorker.RegisterAsync(Client, Flows.Two(name));
        await Cli.CreateAsync(name, "a", """{"n":1.0}""");
        await Cli.EventAsync(name, "a", "go");
        var created = (await Cli.DetailsAsync(name, "a"))["meta"].GetProperty("createdAt").GetString();
        var old = await worker.DoAsync("first", "\"of run 0\"");
        var late = await worker.TakeAsync("second");

        (await Cli.SteerAsync(name, "a", "restart")).Expect(HttpStatusCode.OK);
        await worker.ReportAsync(late, "\"late\"", "FAILED");

        var fresh = await Cli.DetailsAsync(name, "a");
        var meta = fresh["meta"];
        Assert.Equal("""{"status":"queued","runGeneration":2}""", fresh["details"].GetRawText());
        Assert.Equal((1, """{"n":1.0}""", created), (meta.GetProperty("runNumber").GetInt32(), meta.GetProperty("params").GetRawText(), meta.GetProperty("createdAt").GetString()));
        Assert.Equal(JsonValueKind.Null, meta.GetProperty("startedAt").ValueKind);
        Assert.Equal(JsonValueKind.Null, meta.GetProperty("completedAt").ValueKind);
        Assert.Equal("waiting", meta.GetProperty("currentStep").GetProperty("status").GetString());

        var now = (await Cli.HistoryAsync(name, "a")).Expect(HttpStatusCode.OK);
        Assert.Equal((1, 1, 0), (now["runNumber"].GetInt32(), now["steps"].GetArrayLength(), now["events"].GetArrayLength()));
        var before = (await Cli.HistoryAsync(name, "a", "?runNumber=0&order=asc")).Expect(HttpStatusCode.OK);
        Assert.Equal("\"of run 0\"", before["steps"][0].GetProperty("result").GetRawText());
        Assert.Equal(["go"], Types(before));

        var work = await worker.TakeAsync("first");
        Assert.NotEqual(old.GetProperty("instance_id").GetString(), work.GetProperty("instance_id").GetString());
        await worker.ReportAsync(work);
        await worker.DoAsync("second", "2");
        Assert.Equal("""{"status":"complete","output":2,"runGeneration":2}""", (await Cli.DetailsAsync(name, "a"))["details"].GetRawText());
    }

    // Instances contract 8.
    [Fact]
    public async Task A_wait_takes_the_oldest_event_of_its_type_once()
    {
        var (name, worker) = await InStateAsync("queued");
        foreach (var (type, payload) in new[] { ("other", "0"), ("go", "1.0"), ("go", "2") }) await Cli.EventAsync(name, "a", type, payload);

        await worker.DoAsync("prepare");

        var work = await worker.TakeAsync("finish");
        Assert.Equal("1.0", work.GetProperty("payload").GetProperty("results").GetProperty("gate").GetProperty("payload").GetRawText());
        var history = await Cli.HistoryAsync(name, "a", "?order=asc");
        Assert.Equal([null, "gate", null], history["events"].EnumerateArray().Select(e => e.GetProperty("consumedByStepKey").GetString()));
        var gate = history["steps"][1];
        Assert.Equal((1, JsonValueKind.Null), (gate.GetProperty("attempts").GetInt32(), gate.GetProperty("wakeAt").ValueKind));
        Assert.Equal(["type", "payload", "timestamp"], gate.GetProperty("result").EnumerateObject().Select(m => m.Name));
    }

    [Fact]
    public async Task Of_two_waits_the_one_created_first_gets_the_first_event()
    {
        var name = Flows.Name("waits");
        await StepWorker.RegisterAsync(Client, Flows.TwoWaits(name));
        await Cli.CreateAsync(name, "a");

        await Cli.EventAsync(name, "a", "go");

        Assert.Equal("a", (await Cli.HistoryAsync(name, "a"))["events"][0].GetProperty("consumedByStepKey").GetString());
        Assert.Equal("waiting", await Cli.StatusAsync(name, "a"));
        await Cli.EventAsync(name, "a", "go");
        Assert.Equal("complete", await Cli.StatusAsync(name, "a"));
    }

    [Fact]
    public async Task A_wait_without_an_event_times_out_and_the_instance_with_it()
    {
        var name = Flows.Name("timeout");
        var worker = await StepWorker.RegisterAsync(Client, Flows.Waiting(name, timeoutMs: 1000));
        await Cli.CreateAsync(name, "a");
        await worker.DoAsync("prepare");

        await StepIsAsync(name, "a", "gate", "errored");

        Assert.Equal(
            """{"status":"errored","error":{"name":"WaitForEventTimeoutError","message":"WAIT_FOR_EVENT_TIMEOUT"},"runGeneration":1}""",
            (await Cli.DetailsAsync(name, "a"))["details"].GetRawText());
    }

    // Instances contract 8 and 12: payload null, dots in types.
    [Fact]
    public async Task Events_that_no_step_waits_for_are_kept()
    {
        var name = await StartedAsync("a");

        await Cli.EventAsync(name, "a", "order.paid:v2");
        await Cli.EventAsync(name, "a", "x", "\"\\u0000\"");

        var events = (await Cli.HistoryAsync(name, "a", "?order=asc"))["events"];
        Assert.Equal(JsonValueKind.Null, events[0].GetProperty("payload").ValueKind);
        Assert.Equal(JsonValueKind.Null, events[0].GetProperty("deliveredAt").ValueKind);
        Assert.Equal("\"\\u0000\"", events[1].GetProperty("payload").GetRawText());
    }

    /// <summary>An instance <c>a</c> of a waiting workflow in that state.</summary>
    private async Task<(string Name, StepWorker Worker)> InStateAsync(string state)
    {
        var name = Flows.Name("state");
        var worker = await StepWorker.RegisterAsync(Client, Flows.Waiting(name));
        (await Cli.CreateAsync(name, "a")).Expect(HttpStatusCode.OK);
        switch (state)
        {
            case "running":
                await worker.TakeAsync("prepare");
                break;
            case "waiting":
                await worker.DoAsync("prepare");
                break;
            case "paused":
                await Cli.SteerAsync(name, "a", "pause");
                break;
            case "waitingForPause":
                await worker.TakeAsync("prepare");
                await Cli.SteerAsync(name, "a", "pause");
                break;
            case "complete":
                await Cli.EventAsync(name, "a", "go");
                await worker.DoAsync("prepare");
                await worker.DoAsync("finish");
                break;
            case "errored":
                await worker.ReportAsync(await worker.TakeAsync("prepare"), "\"boom\"", "FAILED");
                break;
            case "terminated":
                await Cli.SteerAsync(name, "a", "terminate");
                break;
            default:
                break;
        }

        Assert.Equal(state, await Cli.StatusAsync(name, "a"));
        return (name, worker);
    }
}
