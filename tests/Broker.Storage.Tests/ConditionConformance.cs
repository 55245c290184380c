using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Conditions and optional steps (invariants 15 to 17): the rows that they need are loaded, and what they decide is stored.</summary>
public abstract class ConditionConformance : StoreTests
{
    private protected ConditionConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact] // 15, 16
    public async Task After_a_failure_the_handlers_run_and_the_rest_does_not()
    {
        var run = await StartAsync(await JobsAsync(
            """ "build": {}, "test": {"depends_on": ["build"]}, "ship": {"depends_on": ["test"]}, """,
            """ "notify": {"depends_on": ["ship"], "when": "failure"}, "tidy": {"depends_on": ["test", "ship"], "when": "always"} """));
        await SucceedAsync(await NextAsync("build"));
        await FailAsync(await NextAsync("test"));

        var handlers = new[] { (await ClaimAsync())!, (await ClaimAsync())! };
        Assert.Equal(["notify", "tidy"], handlers.Select(h => h.Step.Name).Order());
        foreach (var handler in handlers) await SucceedAsync(handler);
        var ended = await ViewAsync(run);
        Assert.Equal(RunStatus.Failed, ended.Status);
        Assert.Equal("no", ended.Error!.Message);
        Assert.Equal(
            [StepStatus.Succeeded, StepStatus.Failed, StepStatus.NotRun, StepStatus.Succeeded, StepStatus.Succeeded],
            ended.Steps.Select(s => s.Status));
    }

    [Fact] // 15
    public async Task After_success_a_failure_handler_does_not_run()
    {
        var run = await StartAsync(await JobsAsync(""" "a": {}, "b": {"depends_on": ["a"], "when": "failure"}, "c": {"depends_on": ["b"]} """));
        await SucceedAsync(await NextAsync("a"));
        await EndedAsync(run, RunStatus.Succeeded, StepStatus.Succeeded, StepStatus.NotRun, StepStatus.NotRun);
    }

    [Theory] // 15
    [InlineData("{\"deploy\": true}", StepStatus.Ready, RunStatus.Queued)]
    [InlineData("{\"deploy\": false}", StepStatus.NotRun, RunStatus.Succeeded)]
    [InlineData("{}", StepStatus.NotRun, RunStatus.Succeeded)]
    public async Task A_condition_of_a_root_reads_the_inputs_of_the_run(string inputs, StepStatus step, RunStatus status)
    {
        var run = await StartAsync(await JobsAsync(""" "a": {"when": "inputs.deploy == true"} """), "i", inputs);
        await EndedAsync(run, status, step);
    }

    [Theory] // 15
    [InlineData("{\"go\": \"yes\"}", StepStatus.Ready)]
    [InlineData("{\"go\": \"no\"}", StepStatus.NotRun)]
    public async Task A_condition_below_reads_inputs_and_outputs_that_were_stored_before(string outputs, StepStatus expected)
    {
        var run = await StartAsync(
            await JobsAsync(""" "a": {}, "b": {"depends_on": ["a"]}, "c": {"depends_on": ["a", "b"], "when": "needs.a.outputs.go == 'yes' && inputs.n == 1.0"} """),
            "i",
            """{"n": 1}""");
        await SucceedAsync(await NextAsync("a"), outputs);
        await SucceedAsync(await NextAsync("b"));
        Assert.Equal(expected, (await ViewAsync(run)).Steps[2].Status);
    }

    [Fact] // 26
    public async Task The_first_failure_of_a_group_cancels_its_active_steps_and_no_others()
    {
        var run = await StartAsync(await JobsAsync(
            """ "a": {"fail_fast": "g"}, "b": {"fail_fast": "g"}, "c": {"fail_fast": "g"}, "other": {}, """,
            """ "tidy": {"depends_on": ["a", "b", "c"], "when": "failure"} """));
        var (a, b) = (await NextAsync("a"), await NextAsync("b"));
        await FailAsync(a);
        await EndedAsync(run, RunStatus.Running, StepStatus.Failed, StepStatus.Cancelled, StepStatus.Cancelled, StepStatus.Ready, StepStatus.Ready);

        // Its worker's report changes nothing more, and no claim finds the cancelled steps.
        await SucceedAsync(b);
        await SucceedAsync(await NextAsync("other"));
        await SucceedAsync(await NextAsync("tidy"));
        Assert.Null(await ClaimAsync());
        await EndedAsync(run, RunStatus.Failed, StepStatus.Failed, StepStatus.Cancelled, StepStatus.Cancelled, StepStatus.Succeeded, StepStatus.Succeeded);
    }

    [Fact] // 17
    public async Task An_optional_step_that_fails_stops_neither_its_run_nor_the_steps_below()
    {
        var run = await StartAsync(await JobsAsync(
            """ "lint": {"optional": true}, "build": {"depends_on": ["lint"]}, "alarm": {"depends_on": ["build"], "when": "failure() || needs.build.result != 'success'"} """));
        await FailAsync(await NextAsync("lint"));
        await SucceedAsync(await NextAsync("build"));
        await EndedAsync(run, RunStatus.Succeeded, StepStatus.Failed, StepStatus.Succeeded, StepStatus.NotRun);
        Assert.Null((await ViewAsync(run)).Error);
    }

    [Fact] // 17
    public async Task Without_any_condition_an_optional_step_is_optional_too()
    {
        var run = await StartAsync(await JobsAsync(""" "lint": {"optional": true}, "build": {"depends_on": ["lint"]} """));
        await FailAsync(await NextAsync("lint"));
        await SucceedAsync(await NextAsync("build"));
        await EndedAsync(run, RunStatus.Succeeded, StepStatus.Failed, StepStatus.Succeeded);
    }

    [Fact] // 15, 16
    public async Task A_lost_lease_and_a_missed_deadline_start_their_handlers()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "d", "max_lease_losses": 0, "steps": {
              "a": {"command": "x", "successors": {"default": ["ask", "lost"]}},
              "wait": {"kind": "waitForEvent", "event": "go", "timeout_ms": 60000, "successors": {"default": ["ask", "late"]}},
              "ask": {"command": "x"}, "late": {"command": "x", "when": "failure"}, "lost": {"command": "x", "when": "failure"}}}
            """)));
        await NextAsync("a");
        await Engine.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await Store.Runs.ExpireLeasesAsync(10, Ct));
        Assert.Equal(1, await Store.Runs.FinishDueAsync(10, Ct));
        var handlers = new[] { (await ClaimAsync())!, (await ClaimAsync())! };
        Assert.Equal(["late", "lost"], handlers.Select(h => h.Step.Name).Order());
        foreach (var handler in handlers) await SucceedAsync(handler);
        await EndedAsync(run, RunStatus.Failed, StepStatus.Failed, StepStatus.Failed, StepStatus.NotRun, StepStatus.Succeeded, StepStatus.Succeeded);
    }

    [Fact] // 15
    public async Task Decisions_of_one_broker_count_for_another()
    {
        var run = await StartAsync(await JobsAsync(
            """ "a": {}, "b": {}, "c": {"depends_on": ["a", "b"]}, "d": {"depends_on": ["c"], "when": "always"}, "e": {"depends_on": ["c", "d"], "when": "needs.c.result == 'skipped' && needs.d.result == 'success' && always()"} """));
        var a = await NextAsync("a");
        var b = await NextAsync("b");
        await FailAsync(a);
        Assert.Equal([0, 1], (await ViewAsync(run)).Steps.Select(s => s.Index));
        var peer = OpenPeer();
        await peer.Steps.ReportAsync([new(b.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "{}" })], Ct);
        await SucceedAsync(await NextAsync("d"));
        await SucceedAsync(await NextAsync("e"));
        await EndedAsync(run, RunStatus.Failed, StepStatus.Failed, StepStatus.Succeeded, StepStatus.NotRun, StepStatus.Succeeded, StepStatus.Succeeded);
    }

    private async Task<WorkflowDefinition> JobsAsync(params string[] steps)
    {
        var text = string.Concat(steps).Replace(": {", ": {\"command\": \"x\", ", StringComparison.Ordinal).Replace(", }", "}", StringComparison.Ordinal);
        return await RegisterAsync(ADefinition.Of($$"""{"workflow_id": "d", "jobs": {"name": "d", "trigger": ""}, "steps": { {{text}} } }"""));
    }

    private Task<RunRef> StartAsync(WorkflowDefinition definition) => StartAsync(definition, "i");

    private async Task<Assignment> NextAsync(string step)
    {
        var claimed = await ClaimAsync();
        Assert.Equal(step, claimed?.Step.Name);
        return claimed!;
    }

    private async Task EndedAsync(RunRef run, RunStatus status, params StepStatus[] steps)
    {
        var view = await ViewAsync(run);
        Assert.Equal(steps, view.Steps.Select(s => s.Status));
        Assert.Equal(status, view.Status);
        Assert.Null(await ClaimIfEndedAsync(view));
    }

    private async Task<Assignment?> ClaimIfEndedAsync(RunView view) => view.IsTerminal ? await ClaimAsync() : null;
}
