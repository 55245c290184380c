using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Runs that start later, and runs with a priority or tags.</summary>
public abstract class StartTimeConformance : StoreTests
{
    private protected StartTimeConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private async Task<RunRef> StartAsync(StartRequest start) => (await Store.Runs.StartAsync([start], Ct))[0].Run!;

    [Fact]
    public async Task A_run_that_starts_later_is_queued_and_handed_out_only_then()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var run = await StartAsync(new(definition, "i") { DelayMs = 60_000 });
        var view = await ViewAsync(run);
        Assert.Equal((RunStatus.Queued, view.QueuedAt.AddMinutes(1)), (view.Status, view.StartAt));
        Assert.Equal(RunStatus.Queued, Assert.Single((await Store.History.ListByStatusAsync("d", new HashSet<RunStatus> { RunStatus.Queued }, null, 10, Ct)).Rows).Status);
        Assert.Empty((await Store.History.ListByStatusAsync("d", new HashSet<RunStatus> { RunStatus.Waiting }, null, 10, Ct)).Rows);

        await Engine.PassAsync(TimeSpan.FromSeconds(50));
        Assert.Null(await ClaimAsync());
        await Engine.PassAsync(TimeSpan.FromSeconds(11));
        Assert.Equal("i", (await ClaimAsync())!.Run.InstanceId);
        Assert.Equal(RunStatus.Running, (await ViewAsync(run)).Status);
    }

    [Fact]
    public async Task A_start_time_that_has_passed_is_the_present()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var run = await StartAsync(new(definition, "i") { StartAt = DateTimeOffset.UnixEpoch });
        Assert.Null((await ViewAsync(run)).StartAt);
        Assert.NotNull(await ClaimAsync());
    }

    [Fact]
    public async Task Runs_that_start_later_are_not_before_others_in_their_queue()
    {
        var (worker, _) = await Store.Workers.RegisterAsync([ADefinition.Graph("g", "a")], Ct);
        var definition = (await Store.Definitions.LatestAsync("g", Ct))!;
        await StartAsync(new(definition, "later") { DelayMs = 60_000 });
        await Engine.PassAsync(TimeSpan.FromSeconds(30));
        await StartAsync(definition, "now");
        await Engine.PassAsync(TimeSpan.FromSeconds(40));
        var claimed = await Store.Steps.ClaimAsync(new ClaimRequest(worker!, ClaimScope.ByRegistration, [], 2), Ct);
        Assert.Equal(["now", "later"], claimed.Select(c => c.Run.InstanceId));
    }

    [Fact]
    public async Task A_claim_that_waits_gets_a_run_that_starts_later_without_a_poll()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var waiting = Store.Steps.Open(new ClaimRequest("w", ClaimScope.ByLabels, []), Ct).TakeAsync(TimeSpan.FromHours(10), Ct);
        await StartAsync(new(definition, "i") { DelayMs = 300 });

        // The claim may set its timer after the clock has moved, so the clock moves until the claim ends.
        while (!waiting.IsCompleted) await Engine.PassAsync(TimeSpan.FromMilliseconds(400));
        Assert.Equal("i", Assert.Single(await waiting).Run.InstanceId);
    }

    [Fact]
    public async Task The_priority_of_a_run_is_added_to_that_of_its_steps()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a", "b"));
        await StartAsync(definition, "plain");
        var urgent = await StartAsync(new(definition, "urgent") { Priority = 5 });
        await StartAsync(new(definition, "slow") { Priority = -5 });
        Assert.Equal(5, (await ViewAsync(urgent)).Priority);

        var peer = OpenPeer();
        var order = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            // Through the other broker too, which has to learn of the queues.
            var store = i % 2 == 0 ? Store : peer;
            var step = (await store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, []), Ct)).Single();
            order.Add(step.Run.InstanceId);
            var report = new LeaseReport(step.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "{}" });
            Assert.Equal([ReportVerdict.Accepted], await store.Steps.ReportAsync([report], Ct));
        }

        Assert.Equal(["urgent", "urgent", "plain", "plain", "slow", "slow"], order);
    }

    [Fact]
    public async Task A_restart_keeps_priority_tags_and_limit()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        await StartAsync(new(definition, "i") { Priority = 7, TagsJson = """{"team":"x"}""", LimitMs = 90_000, DelayMs = 5_000 });
        var again = (await Store.Runs.ControlAsync("d", "i", ControlCommand.Restart, Ct)).Run!;
        var view = await ViewAsync(again);
        Assert.Equal((1, 7, """{"team":"x"}""", null), (view.Ref.Number, view.Priority, view.TagsJson, view.StartAt));
        Assert.Equal(view.QueuedAt.AddSeconds(90), view.Deadline);
    }
}

public sealed class PostgresStartTimeTests(PostgresCluster cluster) : StartTimeConformance(new OnPostgres(cluster));

public sealed class SqliteStartTimeTests() : StartTimeConformance(new OnSqlite());
