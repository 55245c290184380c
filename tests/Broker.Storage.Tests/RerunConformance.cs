using System.Globalization;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Retries, forks (invariant 24) and cancels with a grace time (invariant 25), as they are stored.</summary>
public abstract class RerunConformance : StoreTests
{
    private protected RerunConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact] // 24
    public async Task A_retry_runs_what_failed_and_hands_out_results_of_kept_steps()
    {
        var first = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "build", "test<-build", "lint<-build", "ship<-test+lint")), "i", """{"n":1}""");
        await SucceedAsync(await NextAsync("build"), """{"version":"7"}""");
        await FailAsync(await NextAsync("test"));
        await SucceedAsync(await NextAsync("lint"), """{"ok":"yes"}""");
        var before = await ViewAsync(first);
        Assert.Equal(RunStatus.Failed, before.Status);

        var plan = await Store.Runs.RerunAsync(new("d", "i") { DryRun = true }, Ct);
        Assert.Equal(RerunVerdict.Planned, plan.Verdict);
        Assert.Equal(["build", "lint"], plan.Kept.Order());
        Assert.Equal(["test"], plan.RunsAgain);
        Assert.Equal(1, await RunsAsync());

        var retry = await Store.Runs.RerunAsync(new("d", "i"), Ct);
        Assert.Equal((RerunVerdict.Started, 1), (retry.Verdict, retry.Run!.Number));
        Assert.Equal((RunStatus.Queued, null), ((await ViewAsync(retry.Run)).Status, (await ViewAsync(retry.Run)).StartedAt));
        Assert.Equal((RunStatus.Queued, null), ((await Store.History.ListAsync(null, Ct)).Single().Status, (await Store.History.ListAsync(null, Ct)).Single().StartedAt));
        var test = await NextAsync("test");
        Assert.Equal(("""{"n":1}""", """{"version":"7"}"""), (test.InputsJson, Assert.Single(test.Upstream).ResultJson));
        await SucceedAsync(test, """{"tests":"12"}""");
        var ship = await NextAsync("ship");
        Assert.Equal(["""{"tests":"12"}""", """{"ok":"yes"}"""], ship.Upstream.Select(u => u.ResultJson));
        await SucceedAsync(ship, """{"at":"prod"}""");

        var after = await ViewAsync(retry.Run);
        Assert.Equal((RunStatus.Succeeded, """{"at":"prod"}"""), (after.Status, after.ResultJson));
        Assert.Equal(before.Steps, (await ViewAsync(first)).Steps);
        Assert.Equal(RerunVerdict.NothingFailed, (await Store.Runs.RerunAsync(new("d", "i"), Ct)).Verdict);
    }

    [Fact] // 24
    public async Task A_retry_of_named_steps_runs_everything_below_them_again()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a", "c<-b", "e<-a")), "i");
        foreach (var name in (string[])["a", "b", "e", "c"]) await SucceedAsync(await NextAsync(name));
        var retry = await Store.Runs.RerunAsync(new("d", "i") { Steps = ["b"] }, Ct);
        Assert.Equal(["a", "e"], retry.Kept.Order());
        Assert.Equal(["b", "c"], retry.RunsAgain);
        await SucceedAsync(await NextAsync("b"));
        await SucceedAsync(await NextAsync("c"));
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(retry.Run!)).Status);
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
        var unknown = await Store.Runs.RerunAsync(new("d", "i") { Steps = ["a", "x"] }, Ct);
        Assert.Equal((RerunVerdict.UnknownStep, "x"), (unknown.Verdict, unknown.Step));
    }

    [Fact] // 24
    public async Task A_fork_is_a_new_instance_beside_an_open_run()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a", "c<-b")), "i");
        await SucceedAsync(await NextAsync("a"), """{"x":"1"}""");
        var open = await NextAsync("b");
        Assert.Equal(RerunVerdict.StillActive, (await Store.Runs.RerunAsync(new("d", "i"), Ct)).Verdict);

        var fork = await Store.Runs.RerunAsync(new("d", "i") { ForkInto = "j", Steps = ["b"], InputsJson = """{"other":true}""" }, Ct);
        Assert.Equal((RerunVerdict.Started, "j", 0), (fork.Verdict, fork.Run!.InstanceId, fork.Run.Number));
        Assert.Equal(RerunVerdict.AlreadyExists, (await Store.Runs.RerunAsync(new("d", "i") { ForkInto = "j" }, Ct)).Verdict);
        var step = await NextAsync("b");
        Assert.Equal(("j", """{"other":true}""", """{"x":"1"}"""), (step.Run.InstanceId, step.InputsJson, Assert.Single(step.Upstream).ResultJson));

        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(open));
        Assert.Equal("c", (await ClaimAsync())!.Step.Name);
        Assert.Equal(RunStatus.Running, (await ViewAsync(run)).Status);
        Assert.Equal(RerunVerdict.UnknownRun, (await Store.Runs.RerunAsync(new("d", "none"), Ct)).Verdict);
    }

    [Fact] // 24
    public async Task A_late_report_for_the_cancelled_run_does_not_touch_its_retry()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var late = await NextAsync("a");
        await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct);
        var retry = await Store.Runs.RerunAsync(new("d", "i"), Ct);
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(late));
        var again = await NextAsync("a");
        Assert.Equal(retry.Run!.Id, again.Run.Id);
    }

    [Fact] // 24, 9
    public async Task Events_that_no_step_took_are_there_for_the_retry()
    {
        var definition = await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "d", "steps": {
              "a": {"command": "x", "successors": {"default": ["wait"]}},
              "wait": {"kind": "waitForEvent", "event": "go", "successors": {"default": ["b"]}}, "b": {"command": "x"}}}
            """));
        await StartAsync(definition, "i");
        await Store.Runs.SendAsync("d", "i", "go", """{"n":1}""", null, Delivery.First, Ct);
        await Store.Runs.SendAsync("d", "i", "go", """{"n":2}""", null, Delivery.First, Ct);
        await FailAsync(await NextAsync("a"));

        var retry = (await Store.Runs.RerunAsync(new("d", "i"), Ct)).Run!;
        await SucceedAsync(await NextAsync("a"));
        var b = await NextAsync("b");
        Assert.Contains("""{"n":1}""", Assert.Single(b.Upstream).ResultJson, StringComparison.Ordinal);
        await FailAsync(b);

        // The wait is kept now; the second event is still open, and the first is none of the new run.
        var second = (await Store.Runs.RerunAsync(new("d", "i"), Ct)).Run!;
        Assert.Equal(["""{"n":2}"""], (await Store.History.InboundAsync(second.Id, null, false, 10, Ct)).Rows.Select(e => e.PayloadJson));
        Assert.Equal(2, (await Store.History.InboundAsync(retry.Id, null, false, 10, Ct)).Rows.Count);
    }

    [Fact] // 25
    public async Task A_cancel_with_a_grace_time_lets_steps_clean_up_and_ends_the_run_after_them()
    {
        var run = await StartAsync(await RegisterAsync(Cleaning), "i");
        var build = await NextAsync("build");
        Assert.Equal(ControlVerdict.Done, (await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct, grace: TimeSpan.FromMinutes(1))).Verdict);
        Assert.Equal(ReportVerdict.StepCancelled, await SucceedAsync(build));
        Assert.Equal(ControlVerdict.NoChange, (await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct, grace: TimeSpan.FromMinutes(1))).Verdict);

        var tidy = await NextAsync("tidy");
        Assert.Null(await ClaimAsync());
        Assert.Equal(RunStatus.Running, (await ViewAsync(run)).Status);
        await SucceedAsync(tidy);
        var ended = await ViewAsync(run);
        Assert.Equal(RunStatus.Cancelled, ended.Status);
        Assert.Equal([StepStatus.Cancelled, StepStatus.NotRun, StepStatus.NotRun, StepStatus.Succeeded], ended.Steps.Select(s => s.Status));
    }

    [Fact] // 25
    public async Task When_the_grace_time_is_over_the_run_is_cancelled_for_good()
    {
        var run = await StartAsync(await RegisterAsync(Cleaning), "i");
        await NextAsync("build");
        await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct, grace: TimeSpan.FromSeconds(20));
        await Engine.PassAsync(TimeSpan.FromSeconds(21));
        Assert.Equal(1, await Store.Runs.FinishDueAsync(10, Ct));
        Assert.Equal(RunStatus.Cancelled, (await ViewAsync(run)).Status);
        Assert.Null(await ClaimAsync());
    }

    [Fact] // 25
    public async Task A_cancel_at_once_ends_a_run_that_cleans_up()
    {
        var run = await StartAsync(await RegisterAsync(Cleaning), "i");
        await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct, grace: TimeSpan.FromMinutes(1));
        Assert.Equal(ControlVerdict.Done, (await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct)).Verdict);
        Assert.Equal(RunStatus.Cancelled, (await ViewAsync(run)).Status);
        Assert.Null(await ClaimAsync());
    }

    private static WorkflowDefinition Cleaning => ADefinition.Of("""
        {"workflow_id": "d", "jobs": {"name": "d", "trigger": ""}, "steps": {
          "build": {"command": "x"}, "ship": {"command": "x", "depends_on": ["build"]},
          "alarm": {"command": "x", "depends_on": ["ship"], "when": "failure"}, "tidy": {"command": "x", "depends_on": ["ship"], "when": "always"}}}
        """);

    private async Task<Assignment> NextAsync(string step)
    {
        var claimed = await ClaimAsync();
        Assert.Equal(step, claimed?.Step.Name);
        return claimed!;
    }

    private async Task<int> RunsAsync() => int.Parse(Assert.Single(await Engine.QueryAsync("SELECT count(*) FROM run")), CultureInfo.InvariantCulture);
}
