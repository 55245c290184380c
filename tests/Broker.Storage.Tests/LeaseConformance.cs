using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Leases, retries, sleeps and waits as time passes.</summary>
public abstract class LeaseConformance : StoreTests
{
    private protected LeaseConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static WorkflowDefinition Retrying(string policy) => ADefinition.Of($$"""
        {"workflow_id": "r", "jobs": {"name": "r", "trigger": ""}, "steps": {"a": {"command": "x", "depends_on": [], "retry_policy": {{policy}} } } }
        """);

    private Task<int> ExpireAsync() => Store.Runs.ExpireLeasesAsync(100, Ct);

    [Fact]
    public async Task An_expired_lease_of_a_job_uses_a_retry_and_waits_for_its_backoff()
    {
        var definition = await RegisterAsync(Retrying("""{"max_retries": 1, "backoff": {"Fixed": {"delay_secs": 30}}}"""));
        var run = await StartAsync(definition, "i");
        var first = await ClaimAsync(lease: 10);
        Assert.Equal(0, await ExpireAsync());

        await Engine.PassAsync(TimeSpan.FromSeconds(11));
        Assert.Equal(1, await ExpireAsync());
        Assert.Equal(0, await ExpireAsync());
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(first!));
        Assert.Equal(RunStatus.Waiting, (await ViewAsync(run)).Status);
        Assert.Null(await ClaimAsync());

        await Engine.PassAsync(TimeSpan.FromSeconds(31));
        var second = await ClaimAsync(lease: 10);
        Assert.Equal(1, second!.Attempt);
        await Engine.PassAsync(TimeSpan.FromSeconds(11));
        Assert.Equal(1, await ExpireAsync());
        var view = await ViewAsync(run);
        Assert.Equal((RunStatus.Failed, StepMachine.LeaseExpiredName), (view.Status, view.Error!.Name));
    }

    [Fact]
    public async Task A_failed_attempt_is_claimable_again_when_its_backoff_is_over()
    {
        var definition = await RegisterAsync(Retrying("""{"max_retries": 2, "backoff": {"Exponential": {"base_secs": 10, "max_secs": 600}}}"""));
        var run = await StartAsync(definition, "i");
        foreach (var delay in (int[])[20, 40])
        {
            Assert.Equal(ReportVerdict.Accepted, await FailAsync((await ClaimAsync())!));
            await Engine.PassAsync(TimeSpan.FromSeconds(delay - 2));
            Assert.Null(await ClaimAsync());
            await Engine.PassAsync(TimeSpan.FromSeconds(3));
        }

        var last = await ClaimAsync();
        Assert.Equal(2, last!.Attempt);
        Assert.Equal(ReportVerdict.Accepted, await FailAsync(last));
        Assert.Equal(RunStatus.Failed, (await ViewAsync(run)).Status);
    }

    [Fact]
    public async Task Other_definitions_return_a_lost_step_to_the_front_until_it_is_given_up_as_poison()
    {
        var (id, _) = await Store.Workers.RegisterAsync(
            [ADefinition.Of(ADefinition.Document("g", "1", "\"max_lease_losses\": 2,", "a"))], Ct);
        var definition = (await Store.Definitions.LatestAsync("g", Ct))!;
        var run = await StartAsync(definition, "poison");
        await StartAsync(definition, "next");
        for (var loss = 1; loss <= 3; loss++)
        {
            var held = (await Store.Steps.ClaimAsync(new ClaimRequest(id!, ClaimScope.ByRegistration, [], 1, 5), Ct)).Single();
            Assert.Equal(("poison", 0), (held.Run.InstanceId, held.Attempt));
            await Engine.PassAsync(TimeSpan.FromSeconds(6));
            Assert.Equal(1, await ExpireAsync());
        }

        var view = await ViewAsync(run);
        Assert.Equal(RunStatus.Failed, view.Status);
        Assert.Contains("max_lease_losses 2", view.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_lease_may_still_report_until_it_is_collected()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var held = await ClaimAsync(lease: 1);
        await Engine.PassAsync(TimeSpan.FromHours(1));
        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(held!));
        Assert.Equal(0, await ExpireAsync());
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
    }

    [Fact]
    public async Task A_heartbeat_renews_for_the_time_that_was_granted()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var held = (await ClaimAsync(lease: 40))!;
        Assert.Equal(40, held.LeaseSecs);
        for (var beat = 0; beat < 3; beat++)
        {
            await Engine.PassAsync(TimeSpan.FromSeconds(30));
            Assert.Equal([HeartbeatVerdict.Renewed], await Store.Steps.HeartbeatAsync([held.Lease], Ct));
            Assert.Equal(0, await ExpireAsync());
        }

        await Engine.PassAsync(TimeSpan.FromSeconds(41));
        Assert.Equal(1, await ExpireAsync());
        Assert.Equal([HeartbeatVerdict.Gone], await Store.Steps.HeartbeatAsync([held.Lease], Ct));
    }

    [Fact]
    public async Task Each_heartbeat_of_many_gets_its_own_verdict()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a", "b")), "i");
        var (a, b) = ((await ClaimAsync())!, (await ClaimAsync())!);
        await SucceedAsync(a);
        var forged = LeaseId.Create(b.Run.Id, b.Step.Index, b.Lease.Fence ^ 1);
        Assert.Equal(
            [HeartbeatVerdict.Gone, HeartbeatVerdict.Renewed, HeartbeatVerdict.Gone],
            await Store.Steps.HeartbeatAsync([a.Lease, b.Lease, forged], Ct));
    }

    [Fact]
    public async Task A_worker_renews_what_it_holds_by_name_and_nothing_else()
    {
        var definition = await RegisterAsync(Retrying("""{"max_retries": 0}"""));
        var run = await StartAsync(definition, "i");
        await StartAsync(definition, "other");
        var held = (await ClaimAsync(lease: 10))!;
        await Engine.PassAsync(TimeSpan.FromSeconds(8));
        NamedStep Step(string instance, string step, string workflow = "r") => new(workflow, instance, step);

        var verdicts = await Store.Steps.HeartbeatAsync(
            held.WorkerId, [Step("i", "a"), Step("other", "a"), Step("i", "b"), Step("i.7", "a"), Step("none", "a"), Step("i", "a", "none"), Step("i", "a")], Ct);
        var gone = HeartbeatVerdict.Gone;
        Assert.Equal([HeartbeatVerdict.Renewed, gone, gone, gone, gone, gone, HeartbeatVerdict.Renewed], verdicts);
        Assert.Equal([gone], await Store.Steps.HeartbeatAsync("somebody else", [Step("i", "a")], Ct));
        await Engine.PassAsync(TimeSpan.FromSeconds(8));
        Assert.Equal(0, await ExpireAsync());
        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(held));
        Assert.Equal([gone], await Store.Steps.HeartbeatAsync(held.WorkerId, [Step("i", "a")], Ct));
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
    }

    [Fact]
    public async Task A_name_that_another_broker_has_given_to_a_new_instance_renews_what_is_held_of_that()
    {
        var definition = await RegisterAsync(Retrying("""{"max_retries": 0}"""));
        await StartAsync(definition, "i");
        var old = (await ClaimAsync())!;
        var peer = OpenPeer();
        await peer.Runs.ControlAsync("r", "i", ControlCommand.Purge, Ct);
        Assert.Equal(StartVerdict.Started, (await peer.Runs.StartAsync([new StartRequest(definition, "i") { InputsJson = "{}" }], Ct))[0].Verdict);
        var held = (await peer.Steps.ClaimAsync(new ClaimRequest(old.WorkerId, ClaimScope.ByLabels, [], 1, null), Ct)).Single();
        Assert.NotEqual(old.Run.Id, held.Run.Id);
        Assert.Equal([HeartbeatVerdict.Renewed], await Store.Steps.HeartbeatAsync(old.WorkerId, [new("r", "i", "a")], Ct));
    }

    [Fact]
    public async Task The_same_lease_twice_in_one_transaction_is_renewed_twice()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var a = (await ClaimAsync())!;
        Assert.Equal([HeartbeatVerdict.Renewed, HeartbeatVerdict.Renewed], await Store.Steps.HeartbeatAsync([a.Lease, a.Lease], Ct));
    }

    [Fact]
    public async Task Several_brokers_collect_an_expired_lease_once()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("many", [.. Enumerable.Range(0, 40).Select(i => $"s{i}")]));
        await StartAsync(definition, "i");
        Assert.Equal(40, (await Store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [], 40, 1), Ct)).Count);
        await Engine.PassAsync(TimeSpan.FromSeconds(5));
        var peer = OpenPeer();
        var collected = await Task.WhenAll(
            Task.Run(() => Store.Runs.ExpireLeasesAsync(100, Ct), Ct), Task.Run(() => peer.Runs.ExpireLeasesAsync(100, Ct), Ct));
        Assert.Equal(40, collected.Sum());
    }

    [Fact]
    public async Task A_batch_bounds_what_is_collected_at_once()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a", "b", "c")), "i");
        await Store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [], 3, 1), Ct);
        await Engine.PassAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(2, await Store.Runs.ExpireLeasesAsync(2, Ct));
        Assert.Equal(1, await Store.Runs.ExpireLeasesAsync(2, Ct));
        Assert.Equal(0, await ExpireAsync());
    }

    [Fact]
    public async Task Sleeps_end_and_waits_fail_when_they_are_due_but_not_while_paused()
    {
        var definition = await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "t", "steps": {
              "nap": {"kind": "sleep", "duration_ms": 20000, "predecessors": [], "successors": {"default": []}},
              "wait": {"kind": "waitForEvent", "event": "go", "timeout_ms": 30000, "predecessors": [], "successors": {"default": []}}}}
            """));
        var run = await StartAsync(definition, "i");
        Assert.Equal(RunStatus.Waiting, (await ViewAsync(run)).Status);
        Assert.Equal(0, await Store.Runs.FinishDueAsync(100, Ct));

        await Store.Runs.ControlAsync("t", "i", ControlCommand.Pause, Ct);
        await Engine.PassAsync(TimeSpan.FromSeconds(21));
        Assert.Equal(0, await Store.Runs.FinishDueAsync(100, Ct));
        await Store.Runs.ControlAsync("t", "i", ControlCommand.Resume, Ct);
        Assert.Equal(StepStatus.Succeeded, (await ViewAsync(run)).Steps[0].Status);

        await Engine.PassAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(1, await Store.Runs.FinishDueAsync(100, Ct));
        var view = await ViewAsync(run);
        Assert.Equal((RunStatus.Failed, "WaitForEventTimeoutError"), (view.Status, view.Error!.Name));
    }

    /// <summary>A lease whose time is over and which is not collected yet is renewed or collected, never both.</summary>
    [Fact]
    public async Task A_worker_whose_late_heartbeat_counted_still_holds_the_lease()
    {
        const int leases = 40;
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var peer = OpenPeer();
        var (renewed, collected) = (0, 0);
        for (var round = 0; round < 10; round++)
        {
            for (var i = 0; i < leases; i++) await StartAsync(definition, $"i-{round}-{i}");
            var held = await Store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [], leases, 10), Ct);
            await Engine.PassAsync(TimeSpan.FromSeconds(11));
            var beating = held.Select(step => Task.Run(() => Store.Steps.HeartbeatAsync([step.Lease], Ct), Ct)).ToList();
            collected += await peer.Runs.ExpireLeasesAsync(leases, Ct);
            var verdicts = (await Task.WhenAll(beating)).Select(v => v[0]).ToList();
            foreach (var (step, verdict) in held.Zip(verdicts))
                Assert.Equal(verdict is HeartbeatVerdict.Renewed ? ReportVerdict.Accepted : ReportVerdict.Stale, await SucceedAsync(step));
            renewed += verdicts.Count(v => v is HeartbeatVerdict.Renewed);
        }

        Assert.Equal(10 * leases, renewed + collected);
    }
}
