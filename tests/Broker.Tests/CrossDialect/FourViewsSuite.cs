using System.Text.Json;
using Broker.Engine;
using Broker.Settings;
using Broker.Storage.Health;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Broker.WorkflowFiles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using Flows = Broker.Tests.InstancesDialect.Flows;

namespace Broker.Tests.CrossDialect;

/// <summary>A run started through one dialect, at every stage, as all four show it (handlers contract 13, instances contract 13).</summary>
public abstract class FourViewsSuite(BrokerApp app)
{
    /// <summary>How a run ends.</summary>
    public enum Ending
    {
        Done,
        Failed,
        CancelledByJobs,
        CancelledByHandlers,
        Terminated,
    }

    public static TheoryData<Door, Ending> Runs { get; } = new(
        from door in Enum.GetValues<Door>() from ending in Enum.GetValues<Ending>() select (door, ending));

    private Wire Wire { get; } = new(app.Client);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task A_run_shows_the_same_to_all_four(Door door, Ending ending)
    {
        var name = Flows.Name("views");
        var schema = Flows.Waiting(name);
        var worker = await Wire.RegisterAsync(schema);
        var views = new FourViews(Wire, name);

        var id = await views.StartAsync(door, schema);
        Assert.Equal(Stage.Live("queued", "queued queued queued"), await views.LookAsync(id));

        var prepare = await Wire.MustClaimAsync(worker);
        Assert.Equal((name, id, "prepare"), (Text(prepare, "workflow_id"), Text(prepare, "instance_id"), Text(prepare, "step_name")));
        Assert.Equal(Stage.Live("running", "running queued queued"), await views.LookAsync(id));
        Assert.Null(await Wire.ClaimAsync(worker));

        await views.SteerAsync(id, "pause");
        Assert.Equal(Stage.Live("waitingForPause", "running queued queued"), await views.LookAsync(id));

        await Wire.ReportAsync(worker, prepare, "SUCCEEDED", "1.0");
        var paused = await views.LookAsync(id);
        Assert.Equal(Stage.Live("paused", paused.Jobs), paused);
        Assert.StartsWith("success ", paused.Jobs, StringComparison.Ordinal);
        Assert.Null(await Wire.ClaimAsync(worker));

        await views.SteerAsync(id, "resume");
        Assert.Equal(Stage.Live("waiting", "success running queued"), await views.LookAsync(id));
        Assert.Null(await Wire.ClaimAsync(worker));
        var waiting = (await views.InstanceAsync(id)).GetProperty("meta").GetProperty("currentStep");
        Assert.Equal(("gate", "go"), (Text(waiting, "stepKey"), Text(waiting, "waitEventType")));

        // Sent through one of the two, read in the other, and worked on by the broker dialect.
        var sender = door is Door.Broker or Door.Handlers ? Door.Instances : Door.Handlers;
        Assert.Equal(200, (await views.SendAsync(sender, id, """{"amount":1.0}""")).Status);
        Assert.Equal("success success queued", (await views.LookAsync(id)).Jobs);
        var got = Assert.Single((await views.HistoryAsync(id)).GetProperty("events").EnumerateArray());
        Assert.Equal(("go", """{"amount":1.0}""", "gate"), (Text(got, "type"), got.GetProperty("payload").GetRawText(), Text(got, "consumedByStepKey")));

        var finish = await Wire.MustClaimAsync(worker);
        Assert.Equal(("finish", id), (Text(finish, "step_name"), Text(finish, "instance_id")));
        Assert.Equal("""{"amount":1.0}""", finish.Results().GetProperty("gate").GetProperty("payload").GetRawText());
        Assert.Equal(Stage.Live("running", "success success running"), await views.LookAsync(id));

        var end = await EndAsync(views, ending, id, worker, finish);
        Assert.Equal(end, await views.LookAsync(id));

        // A run that has ended stays as it is, after a late report and after an event.
        Assert.Equal(204, (await Wire.ReportAsync(worker, finish, "SUCCEEDED", "\"late\"")).Status);
        Assert.Null(await Wire.ClaimAsync(worker));
        Assert.Equal(409, (await views.SendAsync(Door.Handlers, id, "{}")).Status);
        Assert.Equal(409, (await views.SendAsync(Door.Instances, id, "{}")).Status);
        Assert.Equal(end, await views.LookAsync(id));

        await RestartedAsync(views, id, worker, finish);
    }

    /// <summary>A jobs workflow from a file, also as a handler and as an instance; through the broker dialect, one that a dispatch brings along.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public async Task A_workflow_of_commands_shows_the_same_to_all_four(Door door, Ending ending)
    {
        var name = Flows.Name("deploy");
        var schema = Commands(name);
        if (door is not Door.Broker) await LoadAsync(name);
        var views = new FourViews(Wire, name);

        var id = await views.StartAsync(door, schema);
        Assert.Equal(Stage.Live("queued", "queued queued"), await views.LookAsync(id));

        // Workers of that dialect know the run by a name under which they also ask for it.
        var (known, lease) = await ClaimAsync(name, "build", id);
        Assert.Equal(Stage.Live("running", "running queued"), await views.LookAsync(id));
        Assert.Equal("running queued", await views.JobsAsync(known));
        Assert.Equal("null", (await Wire.PostAsync("/api/jobs/claim", Claim(name))).Body);

        await PostAsync(200, $"/api/jobs/{lease}/complete", """{"outputs":{"version":"7"}}""");
        Assert.Equal(Stage.Live("running", "success queued"), await views.LookAsync(id));
        await views.SteerAsync(id, "pause");
        Assert.Equal(Stage.Live("paused", "success queued"), await views.LookAsync(id));
        Assert.Equal("null", (await Wire.PostAsync("/api/jobs/claim", Claim(name))).Body);
        await views.SteerAsync(id, "resume");
        Assert.Equal(Stage.Live("queued", "success queued"), await views.LookAsync(id));

        (_, lease) = await ClaimAsync(name, "test", id);
        Assert.Equal(Stage.Live("running", "success running"), await views.LookAsync(id));
        switch (ending)
        {
            case Ending.Done:
                await PostAsync(200, $"/api/jobs/{lease}/complete", """{"outputs":{"passed":"12"}}""");
                Assert.Equal(Stage.Done("success success"), await views.LookAsync(id));
                Assert.Equal("""{"passed":"12"}""", (await views.ResultAsync(id)).Json.GetProperty("result").GetRawText());
                Assert.Equal("""{"passed":"12"}""", (await views.InstanceAsync(id)).GetProperty("details").GetProperty("output").GetRawText());
                break;
            case Ending.Failed:
                await PostAsync(200, $"/api/jobs/{lease}/fail", """{"error":"exit code 1: ","retryable":true}""");
                Assert.Equal(Stage.Failed("success failure"), await views.LookAsync(id));
                Assert.Equal("exit code 1: ", Text(await views.HandlerAsync(id), "error"));
                Assert.Equal("exit code 1: ", Text((await views.InstanceAsync(id)).GetProperty("details").GetProperty("error"), "message"));
                break;
            case Ending.CancelledByJobs or Ending.CancelledByHandlers or Ending.Terminated:
                await views.CancelAsync(DoorOf(ending), id);
                Assert.Equal(Stage.Cancelled("success cancelled"), await views.LookAsync(id));
                Assert.Equal("true", (await Wire.GetAsync($"/api/jobs/{known}/test/cancelled")).Body);
                // Jobs contract 6.6: the stock worker's report then changes nothing.
                await PostAsync(200, $"/api/jobs/{lease}/fail", """{"error":"cancelled","retryable":true}""");
                Assert.Equal(Stage.Cancelled("success cancelled"), await views.LookAsync(id));
                break;
        }
    }

    [Fact]
    public async Task A_stranger_in_the_place_of_a_deleted_run_is_not_waited_for()
    {
        var name = Flows.Name("replaced");
        await Wire.RegisterAsync(Flows.One(name));
        var views = new FourViews(Wire, name);
        await views.StartAsync(Door.Jobs);
        var engine = app.Services.GetRequiredService<BrokerEngine>();
        var first = (await engine.FindRunAsync(name, name, Ct))!.Ref;
        Assert.Equal(200, (await Wire.SendAsync(HttpMethod.Post, $"/handlers/{name}/cancel?purge=true", null)).Status);
        await views.StartAsync(Door.Jobs);

        Assert.Null(await engine.WaitForEndAsync(first, Ct).WaitAsync(TimeSpan.FromSeconds(10), Ct));
        Assert.Equal(Stage.Live("queued", "queued"), await views.LookAsync(name));
    }

    private async Task<Stage> EndAsync(FourViews views, Ending ending, string id, string worker, JsonElement finish)
    {
        switch (ending)
        {
            case Ending.Done:
                await Wire.ReportAsync(worker, finish, "SUCCEEDED", """{"sum":1.0}""");
                Assert.Equal("""{"sum":1.0}""", (await views.ResultAsync(id)).Json.GetProperty("result").GetRawText());
                Assert.Equal("""{"sum":1.0}""", (await views.InstanceAsync(id)).GetProperty("details").GetProperty("output").GetRawText());
                return Stage.Done("success success success");
            case Ending.Failed:
                await Wire.ReportAsync(worker, finish, "FAILED", """{"name":"Oops","message":"no"}""");
                Assert.Equal("no", Text(await views.HandlerAsync(id), "error"));
                Assert.Equal("""{"name":"Oops","message":"no"}""", (await views.InstanceAsync(id)).GetProperty("details").GetProperty("error").GetRawText());
                return Stage.Failed("success success failure");
            case Ending.CancelledByJobs or Ending.CancelledByHandlers or Ending.Terminated:
            default:
                await views.CancelAsync(DoorOf(ending), id);
                return Stage.Cancelled("success success cancelled");
        }
    }

    // A restart keeps the id for clients. Workers see another one: their late reports would otherwise reach the new run.
    private async Task RestartedAsync(FourViews views, string id, string worker, JsonElement old)
    {
        var before = Text(await views.HandlerAsync(id), "run_id");
        await views.SteerAsync(id, "restart");
        Assert.Equal(Stage.Live("queued", "queued queued queued"), await views.LookAsync(id));
        Assert.NotEqual(before, Text(await views.HandlerAsync(id), "run_id"));

        Assert.Equal(204, (await Wire.ReportAsync(worker, old, "SUCCEEDED")).Status);
        var again = await Wire.MustClaimAsync(worker);
        Assert.Equal((id + ".1", "prepare"), (Text(again, "instance_id"), Text(again, "step_name")));
        Assert.Equal(Stage.Live("running", "running queued queued"), await views.LookAsync(id));
        await views.CancelAsync(Door.Handlers, id);
    }

    private static Door DoorOf(Ending ending) => ending switch
    {
        Ending.CancelledByJobs => Door.Jobs,
        Ending.CancelledByHandlers => Door.Handlers,
        _ => Door.Instances,
    };

    /// <summary>Registers the files of the folder, as the start of a broker does.</summary>
    private async Task LoadAsync(string name)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(
            Path.Combine(folder.Path, $"{name}.yml"),
            $$"""
            name: Deploy
            on: [push, workflow_dispatch]
            jobs:
              build:
                run: make build
                labels: [{{name}}]
              test:
                needs: build
                run: make test
                labels: [{{name}}]
            """,
            Ct);
        var settings = app.Services.GetRequiredService<BrokerSettings>() with { WorkflowsDir = folder.Path };
        using var faults = new StringWriter();
        using var sync = new WorkflowFileSync(app.Services.GetRequiredService<BrokerEngine>(), settings, new StoreEpoch(), TimeProvider.System, NullLogger<WorkflowFileSync>.Instance);
        Assert.Equal(1, await sync.LookAsync(faults, Ct));
        Assert.Equal("", faults.ToString());
    }

    private static string Commands(string name) => $$$$"""
        {"workflow_id":"{{{{name}}}}","version":"1","steps":{
          "build":{"command":"make build","required_labels":["{{{{name}}}}"],"successors":{"default":["test"]}},
          "test":{"command":"make test","required_labels":["{{{{name}}}}"],"predecessors":["build"]}}}
        """;

    private static string Claim(string label) => $$"""{"worker_id":"w-{{label}}","labels":["{{label}}"]}""";

    private async Task<(string Workflow, string Lease)> ClaimAsync(string name, string job, string id)
    {
        var claimed = (await Wire.PostAsync("/api/jobs/claim", Claim(name))).Json;
        var workflow = Text(claimed.GetProperty("job"), "workflow_id");
        Assert.Equal((job, id == name ? name : $"{name}~{id}"), (Text(claimed.GetProperty("job"), "job_id"), workflow));
        return (workflow, Text(claimed.GetProperty("lease"), "lease_id"));
    }

    private async Task PostAsync(int status, string path, string body) => Assert.Equal(status, (await Wire.PostAsync(path, body)).Status);

    private static string Text(JsonElement owner, string member) => owner.GetProperty(member).GetString()!;
}

public sealed class PostgresFourViewsTests(PostgresApp app) : FourViewsSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteFourViewsTests(SqliteApp app) : FourViewsSuite(app), IClassFixture<SqliteApp>;
