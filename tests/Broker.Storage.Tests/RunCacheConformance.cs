using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Postgres;
using Broker.Storage.Tables;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Cached runs of one broker while another broker, or an operator's statement, changes them.</summary>
public abstract class RunCacheConformance : StoreTests
{
    private protected RunCacheConformance(ITestEngine engine)
        : base(engine)
    {
    }

    // Claims a step here; on PostgreSQL the step and its run are remembered then.
    private async Task<(Assignment Step, StoreHarness Peer)> HoldAsync(params string[] steps)
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("w", steps)), "i");
        var held = (await ClaimAsync("here"))!;
        await AssertRememberedAsync(held);
        return (held, OpenPeer());
    }

    // A cached load needs an estimate of the database's clock that is less than 1 s old. On a busy machine that second may have passed although the
    // row is cached, so the clock is read again. That does not bring back a lost row.
    private async Task AssertRememberedAsync(Assignment held)
    {
        if (Store.Engine is not PostgresEngine engine) return;
        var lease = new LeaseRef(new StepKey(held.Run.Id, held.Step.Index), held.Lease.Fence, null);
        await Eventually.TrueAsync(async () =>
        {
            await engine.NowAsync(Ct);
            return engine.Runs.TryLoadCached([lease]) is not null;
        });
        Assert.Equal(0, Store.Epoch.Number);
    }

    private static async Task<Assignment> ClaimAtAsync(StoreHarness store)
    {
        // Queues that others have added are read with every poll.
        await store.Waiting.PollAsync(Ct);
        return Assert.Single(await store.Steps.ClaimAsync(new ClaimRequest("there", ClaimScope.ByLabels, [], 1), Ct));
    }

    private static async Task<ReportVerdict> SucceedAtAsync(StoreHarness store, Assignment step) =>
        (await store.Steps.ReportAsync([new LeaseReport(step.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "1" })], Ct))[0];

    [Fact]
    public async Task A_branch_that_another_broker_has_finished_counts_at_the_join()
    {
        var (held, peer) = await HoldAsync("a", "b", "c<-a+b");
        Assert.Equal(ReportVerdict.Accepted, await SucceedAtAsync(peer, await ClaimAtAsync(peer)));
        await AssertMeetsAsync(peer, held);
        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(held));
        Assert.Equal("c", (await ClaimAsync())!.Step.Name);
        Assert.Null(await ClaimAsync());
    }

    [Fact]
    public async Task A_run_that_another_broker_has_cancelled_takes_no_report()
    {
        var (held, peer) = await HoldAsync("a", "b<-a");
        Assert.Equal(ControlVerdict.Done, (await peer.Runs.ControlAsync("w", "i", ControlCommand.Cancel, Ct)).Verdict);
        await AssertMeetsAsync(peer, held);
        Assert.Equal(ReportVerdict.StepCancelled, await SucceedAsync(held));
        Assert.Null(await ClaimAsync());
    }

    [Fact]
    public async Task A_run_that_another_broker_has_paused_hands_out_nothing_after_a_report()
    {
        var (held, peer) = await HoldAsync("a", "b<-a");
        Assert.Equal(ControlVerdict.Done, (await peer.Runs.ControlAsync("w", "i", ControlCommand.Pause, Ct)).Verdict);
        await AssertMeetsAsync(peer, held);
        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(held));
        Assert.Null(await ClaimAsync());
        Assert.Equal(RunStatus.Paused, (await ViewAsync(held.Run)).Status);
    }

    [Fact]
    public async Task A_step_that_another_broker_has_handed_out_again_takes_the_later_report_only()
    {
        await StartAsync(await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "w", "jobs": {"name": "w", "trigger": ""}, "steps": {"a": {"command": "x", "depends_on": [], "retry_policy": {"max_retries": 1, "backoff": {"Fixed": {"delay_secs": 0} } } } } }
            """)), "i");
        var held = (await ClaimAsync("here", lease: 10))!;
        await AssertRememberedAsync(held);
        var peer = OpenPeer();
        await Engine.PassAsync(TimeSpan.FromSeconds(11));
        Assert.Equal(1, await peer.Runs.ExpireLeasesAsync(10, Ct));
        var later = await ClaimAtAsync(peer);
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(held));
        Assert.Equal(ReportVerdict.Accepted, await SucceedAtAsync(peer, later));
    }

    [Fact]
    public async Task A_lease_that_is_another_one_in_the_table_takes_no_report()
    {
        var (held, peer) = await HoldAsync("a");
        Assert.Equal(1, await Engine.ExecuteAsync("UPDATE step SET fence = fence + 1"));
        await AssertMeetsAsync(peer, held);
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(held));
        Assert.Equal(RunStatus.Running, (await ViewAsync(held.Run)).Status);
    }

    [Fact]
    public async Task A_run_that_another_broker_has_purged_takes_no_report()
    {
        var (held, peer) = await HoldAsync("a");
        Assert.Equal(ControlVerdict.Done, (await peer.Runs.ControlAsync("w", "i", ControlCommand.Purge, Ct)).Verdict);
        await AssertMeetsAsync(peer, held);
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(held));
        Assert.Null(await Store.History.FindAsync("w", "i", null, Ct));
    }

    [Fact]
    public async Task Branches_that_two_brokers_report_at_once_all_count()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("w", "a", "b", "c", "d", "e<-a+b+c+d"));
        var peer = OpenPeer();
        for (var round = 0; round < 40; round++)
        {
            await StartAsync(definition, $"i{round}");
            var held = new List<(StoreHarness Store, Assignment Step)>();
            for (var i = 0; i < 4; i++)
            {
                var store = i % 2 == 0 ? Store : peer;
                held.Add((store, await ClaimAtAsync(store)));
            }

            var verdicts = await Task.WhenAll(held.Select(h => SucceedAtAsync(h.Store, h.Step)));
            Assert.All(verdicts, v => Assert.Equal(ReportVerdict.Accepted, v));
            var last = await ClaimAtAsync(peer);
            Assert.Equal("e", last.Step.Name);
            Assert.Equal(ReportVerdict.Accepted, await SucceedAtAsync(peer, last));
            Assert.Equal(RunStatus.Succeeded, (await ViewAsync(last.Run)).Status);
        }
    }

    // Checks that the report met the stale row. A single broker has changed the run itself, so its row is not stale.
    private Task AssertMeetsAsync(StoreHarness peer, Assignment held) => ReferenceEquals(peer, Store) ? Task.CompletedTask : AssertRememberedAsync(held);
}
