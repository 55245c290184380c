using Broker.Core.Explanations;
using Broker.Core.Runs;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Facts for gauges and explanations.</summary>
public abstract class QueueFactsConformance : StoreTests
{
    private protected QueueFactsConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task Depths_are_those_of_claimable_steps_by_workflow()
    {
        Assert.Empty((await Store.Queues.DepthsAsync(Ct)).Depths);
        var own = await RegisterAsync(ADefinition.Graph("own", "a", "b"));
        var jobs = await RegisterAsync(ADefinition.Jobs("jobs", "a"));
        var other = await RegisterAsync(ADefinition.Jobs("other", "a"));
        for (var i = 0; i < 3; i++) await StartAsync(own, $"i{i}");
        await Engine.PassAsync(TimeSpan.FromSeconds(30));
        await StartAsync(jobs, "i");
        await StartAsync(other, "i");
        await StartAsync(own, "paused");
        await Store.Runs.ControlAsync("own", "paused", ControlCommand.Pause, Ct);
        await Engine.PassAsync(TimeSpan.FromSeconds(10));

        var (depths, now) = await Store.Queues.DepthsAsync(Ct);
        Assert.Equal([("own", 6), ("jobs", 1), ("other", 1)], depths.Select(d => (d.Workflow, d.Depth)));
        Assert.InRange((now - depths[0].OldestDue!.Value).TotalSeconds, 39, 400);
        Assert.InRange((now - depths[1].OldestDue!.Value).TotalSeconds, 9, 370);

        while (await ClaimAsync() is { } step) await SucceedAsync(step);
        Assert.Equal("own", Assert.Single((await Store.Queues.DepthsAsync(Ct)).Depths).Workflow);
    }

    [Fact]
    public async Task A_retry_that_is_not_due_is_not_counted()
    {
        var definition = await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "d", "jobs": {"name": "d", "trigger": "t"}, "steps":
              {"a": {"depends_on": [], "command": "true", "retry_policy": {"max_retries": 3, "backoff": {"Fixed": {"delay_secs": 600}}}}}}
            """));
        await StartAsync(definition, "i");
        await FailAsync((await ClaimAsync())!);
        Assert.Empty((await Store.Queues.DepthsAsync(Ct)).Depths);
        await Engine.PassAsync(TimeSpan.FromSeconds(601));
        Assert.Equal(("d", 1), Assert.Single((await Store.Queues.DepthsAsync(Ct)).Depths) switch { var d => (d.Workflow, d.Depth) });
    }

    [Fact]
    public async Task A_step_in_line_knows_who_is_before_it_and_when_a_worker_was_there()
    {
        var definition = await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "d", "jobs": {"name": "d", "trigger": "t"}, "steps": {"a": {"depends_on": [], "command": "true", "required_labels": ["gpu"]}}}
            """));
        RunRef[] runs = [await StartAsync(definition, "i0"), await StartAsync(definition, "i1"), await StartAsync(definition, "i2")];
        Assert.Equal([(0, false), (1, false), (2, false)], await FactsAsync(runs));

        await Store.Workers.RegisterAsync("cpu", ["linux"], Ct);
        Assert.Equal((0, false), (await FactsAsync(runs))[0]);
        await Store.Workers.RegisterAsync("gpu", ["linux", "gpu"], Ct);
        Assert.Equal([(0, true), (1, true), (2, true)], await FactsAsync(runs));

        Assert.Equal("i0", (await ClaimAsync("gpu", null, "gpu"))!.Run.InstanceId);
        Assert.Equal([(0, false), (0, true), (1, true)], await FactsAsync(runs));
    }

    [Fact]
    public async Task The_workers_of_a_definition_are_those_that_registered_it()
    {
        var definition = await RegisterAsync(ADefinition.Graph("own", "a"));
        var run = await StartAsync(definition, "i");
        await Store.Workers.RegisterAsync([ADefinition.Graph("another", "a")], Ct);
        await Store.Workers.RegisterAsync("labelled", [], Ct);
        Assert.Null((await FactsAsync(run)).WorkerSeenAt);
        await Store.Workers.RegisterAsync([definition], Ct);
        Assert.NotNull((await FactsAsync(run)).WorkerSeenAt);
    }

    [Fact]
    public async Task A_registered_worker_has_the_labels_of_its_last_claim()
    {
        var definition = await RegisterAsync(ADefinition.Of("""{"workflow_id": "own", "steps": {"a": {"required_labels": ["gpu"]}}}"""));
        var run = await StartAsync(definition, "i");
        var worker = (await Store.Workers.RegisterAsync([definition], Ct)).Id!;
        Assert.Null((await FactsAsync(run)).WorkerSeenAt);

        await Store.Workers.SeenAsync(worker, ["cpu"], Ct);
        Assert.Null((await FactsAsync(run)).WorkerSeenAt);
        await Store.Workers.SeenAsync(worker, ["cpu", "gpu"], Ct);
        Assert.NotNull((await FactsAsync(run)).WorkerSeenAt);
        await Store.Workers.SeenAsync(worker, null, Ct);
        Assert.NotNull((await FactsAsync(run)).WorkerSeenAt);
        await Store.Workers.SeenAsync(worker, [], Ct);
        Assert.Null((await FactsAsync(run)).WorkerSeenAt);
    }

    [Fact]
    public async Task The_trace_of_a_run_comes_with_each_of_its_steps()
    {
        const string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a"));
        await Store.Runs.StartAsync([new StartRequest(definition, "traced") { TraceParent = trace }, new StartRequest(definition, "plain")], Ct);
        for (var i = 0; i < 4; i++)
        {
            var claim = new ClaimRequest("w", ClaimScope.ByLabels, []) { ClaimId = $"c{i}" };
            var step = Assert.Single(await Store.Steps.ClaimAsync(claim, Ct));
            Assert.Equal(step.Run.InstanceId == "traced" ? trace : null, step.TraceParent);
            Assert.Equal(step.TraceParent, Assert.Single(await Store.Steps.ClaimAsync(claim, Ct)).TraceParent);
            await SucceedAsync(step);
        }
    }

    private async Task<List<(int Ahead, bool HasWorker)>> FactsAsync(RunRef[] runs)
    {
        var all = new List<(int, bool)>();
        foreach (var run in runs)
        {
            var facts = await FactsAsync(run);
            all.Add((facts.Ahead, facts.WorkerSeenAt is not null));
        }

        return all;
    }

    private async Task<StepFacts> FactsAsync(RunRef run)
    {
        var view = await ViewAsync(run);
        return await Store.Queues.OfStepAsync(view, view.Definition.Steps[0], Ct);
    }
}
