using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>The stream announces runs that only wait for inbound events, and events that no step takes (handlers contract 8).</summary>
public abstract class IdleConformance : StoreTests
{
    private const string Branches = """
        {"workflow_id":"d","steps":{
          "a":{"successors":{"default":["w"]}},"b":{"successors":{"default":["v"]}},
          "w":{"kind":"waitForEvent","event":"E","predecessors":["a"],"successors":{"default":["c"]}},
          "v":{"kind":"waitForEvent","event":"F","predecessors":["b"]},
          "c":{"predecessors":["w"]}}}
        """;

    private string worker = "";

    private protected IdleConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private async Task<RunRef> StartAsync(string document)
    {
        var definition = await RegisterAsync(ADefinition.Of(document));
        worker = (await Store.Workers.RegisterAsync([definition], Ct)).Id!;
        return (await Store.Runs.StartAsync([new StartRequest(definition, "i") { Streams = true }], Ct))[0].Run!;
    }

    private async Task DoAsync(string step)
    {
        var taken = Assert.Single(await Store.Steps.ClaimAsync(new ClaimRequest(worker, ClaimScope.ByRegistration, []), Ct));
        Assert.Equal(step, taken.Step.Name);
        await SucceedAsync(taken);
    }

    private Task<(SendVerdict Verdict, RunStatus Before)> SendAsync(string type) => Store.Runs.SendAsync("d", "i", type, "{}", null, Delivery.AllWaiting, Ct);

    private async Task<List<StreamEvent>> OfAsync(RunRef run, string type) => [.. (await Store.Events.ReadAsync(run.Id, -1, 100, Ct)).Where(e => e.Type == type)];

    [Fact]
    public async Task A_run_is_idle_when_its_last_branch_waits_and_again_after_each_event()
    {
        var run = await StartAsync(Branches);
        await DoAsync("a");
        Assert.Empty(await OfAsync(run, StepEvents.IdleType));
        await DoAsync("b");
        Assert.Single(await OfAsync(run, StepEvents.IdleType));

        await SendAsync("E");
        Assert.Single(await OfAsync(run, StepEvents.IdleType));
        await DoAsync("c");

        var idle = await OfAsync(run, StepEvents.IdleType);
        Assert.Equal(2, idle.Count);
        Assert.All(idle, e => Assert.True(e.Internal && e.ValueJson == "{}"));
        await SendAsync("F");
        Assert.Equal(2, (await OfAsync(run, StepEvents.IdleType)).Count);
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
    }

    [Fact]
    public async Task A_sleep_is_no_waiting_for_events()
    {
        var run = await StartAsync("""{"workflow_id":"d","steps":{"a":{"successors":{"default":["w"]}},"s":{"kind":"sleep","duration_ms":5000},"w":{"kind":"waitForEvent","event":"E","predecessors":["a"]}}}""");
        await DoAsync("a");
        Assert.Empty(await OfAsync(run, StepEvents.IdleType));

        await Engine.PassAsync(TimeSpan.FromSeconds(6));
        Assert.Equal(1, await Store.Runs.FinishDueAsync(10, Ct));

        Assert.Single(await OfAsync(run, StepEvents.IdleType));
    }

    [Fact]
    public async Task A_run_that_begins_with_a_wait_is_idle_at_once()
    {
        var run = await StartAsync("""{"workflow_id":"d","steps":{"w":{"kind":"waitForEvent","event":"E"}}}""");

        Assert.Single(await OfAsync(run, StepEvents.IdleType));
    }

    [Fact]
    public async Task An_event_that_no_step_takes_is_announced_and_a_kept_one_is_not()
    {
        var run = await StartAsync("""
            {"workflow_id":"d","events":{"U":{"qualified_name":"mod.U"}},"steps":{
              "a":{"accepts":["A"],"successors":{"default":["w"]}},"w":{"kind":"waitForEvent","event":"E","predecessors":["a"]}}}
            """);
        await SendAsync("E");
        await SendAsync("A");
        Assert.Empty(await OfAsync(run, StepEvents.UnhandledType));

        await SendAsync("U");

        var unhandled = Assert.Single(await OfAsync(run, StepEvents.UnhandledType));
        Assert.Equal((true, """{"event_type":"U","qualified_name":"mod.U","step_name":null,"idle":false}"""), (unhandled.Internal, unhandled.ValueJson));
    }

    [Fact]
    public async Task An_unhandled_event_says_whether_the_run_is_idle()
    {
        var run = await StartAsync("""{"workflow_id":"d","events":{"U":{}},"steps":{"w":{"kind":"waitForEvent","event":"E"}}}""");

        await SendAsync("U");

        Assert.Equal("""{"event_type":"U","qualified_name":"d.U","step_name":null,"idle":true}""", Assert.Single(await OfAsync(run, StepEvents.UnhandledType)).ValueJson);
    }
}
