using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>The context of a run: reports replace it, continuations inherit it, a restart goes back to the beginning.</summary>
public abstract class ContextConformance : StoreTests
{
    private protected ContextConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private async Task<RunRef> StartAsync(WorkflowDefinition definition, string? context, StartMode mode = StartMode.NewInstance) =>
        (await Store.Runs.StartAsync([new StartRequest(definition, "i") { ContextJson = context, Mode = mode }], Ct))[0].Run!;

    private async Task<RunRef> RestartAsync() => (await Store.Runs.ControlAsync("d", "i", ControlCommand.Restart, Ct)).Run!;

    private async Task DoAsync(string? context)
    {
        var step = (await ClaimAsync())!;
        var report = new StepReport(ReportOutcome.Succeeded) { ResultJson = "1", ContextJson = context };
        Assert.Equal(ReportVerdict.Accepted, (await Store.Steps.ReportAsync([new LeaseReport(step.Lease, report)], Ct))[0]);
    }

    [Fact]
    public async Task A_restart_brings_back_the_context_of_the_first_start()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a"));
        await StartAsync(definition, """{"n": 1.0}""");
        await DoAsync("""{"n":2}""");

        var second = await RestartAsync();

        Assert.Equal("""{"n": 1.0}""", (await ViewAsync(second)).ContextJson);
        Assert.Equal("""{"n": 1.0}""", (await ClaimAsync())!.ContextJson);
        Assert.Equal("""{"n": 1.0}""", (await ViewAsync(await RestartAsync())).ContextJson);
        Assert.Equal("""{"n":2}""", (await ViewAsync(second with { Number = 0 })).ContextJson);
    }

    [Fact]
    public async Task A_run_that_began_without_context_is_restarted_without_one()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a"));
        await StartAsync(definition, null);
        await DoAsync("""{"n":2}""");

        Assert.Null((await ViewAsync(await RestartAsync())).ContextJson);
    }

    [Fact]
    public async Task A_continuation_begins_with_the_last_context_and_its_restart_too()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        await StartAsync(definition, """{"n":1}""");
        await DoAsync("""{"n":2}""");
        var next = await StartAsync(definition, null, StartMode.Continue);
        Assert.Equal("""{"n":2}""", (await ViewAsync(next)).ContextJson);
        await DoAsync("""{"n":3}""");

        Assert.Equal("""{"n":2}""", (await ViewAsync(await RestartAsync())).ContextJson);
    }

    [Fact] // 14
    public async Task A_further_run_that_inherits_begins_with_the_last_context_unless_it_brings_its_own()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var next = new StartRequest(definition, "i") { Mode = StartMode.NextRun, InheritsContext = true };
        Assert.Null((await ViewAsync((await Store.Runs.StartAsync([next], Ct))[0].Run!)).ContextJson);
        await DoAsync("""{"n":2}""");

        Assert.Equal("""{"n":2}""", (await ViewAsync((await Store.Runs.StartAsync([next], Ct))[0].Run!)).ContextJson);
        await DoAsync(null);
        Assert.Equal("""{"own":1}""", (await ViewAsync((await Store.Runs.StartAsync([next with { ContextJson = """{"own":1}""" }], Ct))[0].Run!)).ContextJson);
        await DoAsync(null);
        Assert.Null((await ViewAsync((await Store.Runs.StartAsync([next with { InheritsContext = false }], Ct))[0].Run!)).ContextJson);
    }

    [Fact] // 14
    public async Task A_further_run_whose_instance_must_exist_does_not_make_one()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var next = new StartRequest(definition, "i") { Mode = StartMode.NextRun, MustExist = true };
        Assert.Equal(StartVerdict.NotContinuable, (await Store.Runs.StartAsync([next], Ct))[0].Verdict);

        await StartAsync(definition, null);
        Assert.Equal(StartVerdict.StillActive, (await Store.Runs.StartAsync([next], Ct))[0].Verdict);
        await DoAsync(null);
        Assert.Equal(1, (await Store.Runs.StartAsync([next], Ct))[0].Run!.Number);
    }

    [Fact]
    public async Task A_command_to_a_numbered_run_leaves_the_next_run_alone()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        await StartAsync(definition, "i");
        var second = await RestartAsync();

        Assert.Equal(ControlVerdict.Terminal, (await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct, number: 0)).Verdict);
        Assert.Equal(ControlVerdict.UnknownRun, (await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct, number: 2)).Verdict);
        Assert.Equal(RunStatus.Queued, (await Store.History.FindAsync("d", "i", null, Ct))!.Status);
        Assert.Equal((ControlVerdict.Done, second), await Store.Runs.ControlAsync("d", "i", ControlCommand.Cancel, Ct, number: 1));
    }
}
