using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Claim, heartbeat, report: what both engines promise.</summary>
public abstract class HotPathConformance : StoreTests
{
    private protected HotPathConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task A_diamond_runs_through_and_passes_results_down()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a", "c<-a", "e<-b+c"));
        var run = await StartAsync(definition, "i");

        var a = await ClaimAsync();
        Assert.Equal("a", a!.Step.Name);
        Assert.Null(await ClaimAsync());
        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(a, """{"n":"1"}"""));

        var b = await ClaimAsync();
        var c = await ClaimAsync();
        Assert.Equal(("b", "c"), (b!.Step.Name, c!.Step.Name));
        Assert.Equal(new UpstreamResult("a", """{"n":"1"}"""), Assert.Single(b.Upstream));
        await SucceedAsync(c, """{"v":"1.0"}""");
        Assert.Null(await ClaimAsync());
        await SucceedAsync(b, """{"v":"2"}""");

        var e = await ClaimAsync();
        Assert.Equal(["b", "c"], e!.Upstream.Select(u => u.Step).Order());
        await SucceedAsync(e, "12345678901234567890123.10");

        var view = await ViewAsync(run);
        Assert.Equal(RunStatus.Succeeded, view.Status);
        Assert.Equal("12345678901234567890123.10", view.ResultJson);
        Assert.All(view.Steps, s => Assert.Equal(StepStatus.Succeeded, s.Status));
    }

    [Fact]
    public async Task No_step_is_ever_claimed_twice()
    {
        const int steps = 60, workers = 8;
        var definition = await RegisterAsync(ADefinition.Jobs("wide", [.. Enumerable.Range(0, steps).Select(i => $"s{i}")]));
        await StartAsync(definition, "i");
        var second = Open();
        await second.Definitions.LatestAsync("wide", Ct);

        var claimed = await Task.WhenAll(Enumerable.Range(0, workers).Select(w => Task.Run(() => ClaimUntilEmptyAsync(w % 2 == 0 ? Store : second, $"w{w}"))));

        Assert.Equal(steps, claimed.Sum(names => names.Count));
        Assert.Equal(steps, claimed.SelectMany(names => names).Distinct().Count());
    }

    [Fact]
    public async Task A_claim_finds_what_became_ready_in_front_of_what_was_handed_out()
    {
        var graph = ADefinition.Graph("g", "a", "b<-a");
        var (worker, _) = await Store.Workers.RegisterAsync([graph], Ct);
        foreach (var id in (string[])["older", "younger"]) await StartAsync(graph, id);
        var peer = OpenPeer();
        async Task<Assignment> TakeAsync() => Assert.Single(await Store.Steps.ClaimAsync(new ClaimRequest(worker!, ClaimScope.ByRegistration, [], 1), Ct));
        var (first, second) = (await TakeAsync(), await TakeAsync());
        Assert.Equal(("older", "younger"), (first.Run.InstanceId, second.Run.InstanceId));

        // The successor is ranked by its run's age, so it comes before the step that was handed out last; another broker makes it ready.
        var verdicts = await peer.Steps.ReportAsync([new LeaseReport(first.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "1" })], Ct);
        Assert.Equal([ReportVerdict.Accepted], verdicts);
        Assert.Equal(("older", "b"), await TakeAsync() is { } next ? (next.Run.InstanceId, next.Step.Name) : default);
        await SucceedAsync(second);
        Assert.Equal("younger", (await TakeAsync()).Run.InstanceId);
    }

    [Fact]
    public async Task A_broker_that_has_never_seen_a_definition_restarts_its_run()
    {
        await StartAsync(await RegisterAsync(ADefinition.Graph("g", "a", "b<-a")), "i");
        var outcome = await OpenPeer().Runs.ControlAsync("g", "i", ControlCommand.Restart, Ct);
        Assert.Equal(ControlVerdict.Done, outcome.Verdict);
    }

    private static async Task<List<string>> ClaimUntilEmptyAsync(StoreHarness store, string worker)
    {
        var names = new List<string>();
        while (true)
        {
            var claimed = await store.Steps.ClaimAsync(new ClaimRequest(worker, ClaimScope.ByLabels, [], 2), Ct);
            if (claimed.Count == 0) return names;
            names.AddRange(claimed.Select(c => c.Step.Name));
        }
    }

    [Fact]
    public async Task A_report_counts_once_and_only_under_its_lease()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var run = await StartAsync(definition, "i");
        var a = await ClaimAsync();
        var forged = a! with { Lease = LeaseId.Create(a.Run.Id, a.Step.Index, a.Lease.Fence ^ 1) };

        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(forged));
        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(a, "1"));
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(a, "2"));
        Assert.Equal("1", (await ViewAsync(run)).ResultJson);
    }

    [Fact]
    public async Task A_definitions_workers_get_the_oldest_run_first()
    {
        var (id, _) = await Store.Workers.RegisterAsync([ADefinition.Graph("g", "a", "b<-a")], Ct);
        var definition = (await Store.Definitions.LatestAsync("g", Ct))!;
        await StartAsync(definition, "one");
        await StartAsync(definition, "two");
        async Task<Assignment?> Next() => (await Store.Steps.ClaimAsync(new ClaimRequest(id!, ClaimScope.ByRegistration, []), Ct)).SingleOrDefault();

        var first = await Next();
        Assert.Equal("one", first!.Run.InstanceId);
        Assert.Equal(ReportVerdict.Accepted, await Store.Steps.ReportAsync(
            new NamedReport(id!, "g", "one", "a", new StepReport(ReportOutcome.Succeeded) { ResultJson = "null" }), Ct));

        // The older run's next step comes before the newer run's first (broker contract 4.1).
        var second = await Next();
        Assert.Equal(("one", "b"), (second!.Run.InstanceId, second.Step.Name));
        Assert.Equal([new UpstreamResult("a", "null")], second.Upstream);
        Assert.Equal("two", (await Next())!.Run.InstanceId);
        Assert.Null(await Next());
    }

    [Fact]
    public async Task Labels_must_all_be_offered()
    {
        var definition = await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "l", "jobs": {"name": "l", "trigger": ""}, "steps": {
              "arm": {"command": "x", "required_labels": ["arm64", "linux"], "depends_on": []},
              "any": {"command": "y", "depends_on": []}}}
            """));
        await StartAsync(definition, "i");
        Assert.Equal("any", (await ClaimAsync("w", null, "linux"))!.Step.Name);
        Assert.Null(await ClaimAsync("w", null, "linux"));
        Assert.Equal("arm", (await ClaimAsync("w", null, "linux", "arm64", "docker"))!.Step.Name);
    }

    [Fact]
    public async Task Cancel_ends_the_run_and_a_late_report_changes_nothing()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a"));
        var run = await StartAsync(definition, "i");
        var a = await ClaimAsync();
        Assert.Equal(ControlVerdict.Done, (await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct)).Verdict);

        Assert.Equal([HeartbeatVerdict.Cancelled], await Store.Steps.HeartbeatAsync([a!.Lease], Ct));
        Assert.Equal(ReportVerdict.StepCancelled, await FailAsync(a));
        Assert.Equal([HeartbeatVerdict.Gone], await Store.Steps.HeartbeatAsync([a.Lease], Ct));
        var view = await ViewAsync(run);
        Assert.Equal(RunStatus.Cancelled, view.Status);
        Assert.Equal(StepStatus.Cancelled, Assert.Single(view.Steps).Status);
        Assert.Null(await ClaimAsync());
    }

    [Fact]
    public async Task A_restart_voids_old_leases_and_starts_afresh_with_the_same_inputs()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        await StartAsync(definition, "i", """{"x":1.0}""");
        var old = await ClaimAsync();
        var (verdict, again) = await Store.Runs.ControlAsync("d", "i", ControlCommand.Restart, Ct);

        Assert.Equal((ControlVerdict.Done, 1, "i.1"), (verdict, again!.Number, again.WorkerInstanceId));
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(old!));
        Assert.Equal([HeartbeatVerdict.Gone], await Store.Steps.HeartbeatAsync([old!.Lease], Ct));
        var a = await ClaimAsync();
        Assert.Equal((again.Id, """{"x":1.0}"""), (a!.Run.Id, a.InputsJson));
        await SucceedAsync(a);
        Assert.Equal(RunStatus.Cancelled, (await Store.History.FindAsync("d", "i", 0, Ct))!.Status);
        Assert.Equal(1, (await Store.History.FindAsync("d", "i", null, Ct))!.Ref.Number);
    }

    [Fact]
    public async Task Pause_hands_out_nothing_until_resume()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a", "b", "c<-a"));
        var run = await StartAsync(definition, "i");
        var a = await ClaimAsync();
        await Store.Runs.ControlAsync("d", "i", ControlCommand.Pause, Ct);
        Assert.Equal(RunStatus.Pausing, (await ViewAsync(run)).Status);
        Assert.Null(await ClaimAsync());
        await SucceedAsync(a!);
        Assert.Equal(RunStatus.Paused, (await ViewAsync(run)).Status);
        Assert.Null(await ClaimAsync());

        await Store.Runs.ControlAsync("d", "i", ControlCommand.Resume, Ct);
        Assert.Equal(RunStatus.Queued, (await ViewAsync(run)).Status);
        var names = new List<string> { (await ClaimAsync())!.Step.Name, (await ClaimAsync())!.Step.Name };
        Assert.Equal(["b", "c"], names.Order());
    }

    [Fact]
    public async Task An_event_sent_before_the_wait_is_taken_when_the_wait_begins()
    {
        var definition = await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "e", "jobs": {"name": "e", "trigger": ""}, "steps": {
              "a": {"command": "x", "depends_on": []},
              "wait": {"kind": "waitForEvent", "event": "go", "depends_on": ["a"]},
              "b": {"command": "y", "depends_on": ["wait"]}}}
            """));
        var run = await StartAsync(definition, "i");
        var (verdict, before) = await Store.Runs.SendAsync("e", "i", "go", """{"n":1.0}""", null, Delivery.First, Ct);
        Assert.Equal((SendVerdict.Kept, RunStatus.Queued), (verdict, before));
        await SucceedAsync((await ClaimAsync())!);

        var b = await ClaimAsync();
        Assert.Equal("b", b!.Step.Name);
        Assert.Contains("\"payload\":{\"n\":1.0}", Assert.Single(b.Upstream).ResultJson, StringComparison.Ordinal);
        await SucceedAsync(b);
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
        var mail = Assert.Single((await Store.History.InboundAsync(run.Id, null, false, 10, Ct)).Rows);
        Assert.Equal(definition.Find("wait")!.Index, mail.ConsumedBy);
        Assert.Equal(SendVerdict.RunTerminal, (await Store.Runs.SendAsync("e", "i", "go", null, null, Delivery.First, Ct)).Verdict);
    }

    [Fact]
    public async Task Batches_of_starts_skip_ids_that_are_taken()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        await StartAsync(definition, "two");
        StartRequest Start(string id) => new(definition, id);
        var outcomes = await Store.Runs.StartAsync([Start("one"), Start("two"), Start("one"), Start("three")], Ct);
        Assert.Equal(
            [StartVerdict.Started, StartVerdict.AlreadyExists, StartVerdict.AlreadyExists, StartVerdict.Started], outcomes.Select(o => o.Verdict));
        Assert.Equal(3, (await Store.History.ListAsync(null, Ct)).Count);
    }

    [Fact]
    public async Task Purge_takes_everything_away()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        await StartAsync(definition, "i");
        var a = await ClaimAsync();
        Assert.Equal(ControlVerdict.Done, (await Store.Runs.ControlAsync("d", "i", ControlCommand.Purge, Ct)).Verdict);
        Assert.Null(await Store.History.FindAsync("d", "i", null, Ct));
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(a!));
        Assert.Equal(ControlVerdict.UnknownRun, (await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct)).Verdict);
        Assert.Equal(RunStatus.Queued, (await ViewAsync(await StartAsync(definition, "i"))).Status);
    }
}
