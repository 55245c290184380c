using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Task steps that accept events are handed what is pending, and every event is still consumed once (handlers contract 13).</summary>
public abstract class AcceptedEventConformance : StoreTests
{
    private string worker = "";

    private protected AcceptedEventConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private async Task<WorkflowDefinition> RegisterAsync(string steps)
    {
        var definition = await RegisterAsync(ADefinition.Of($$"""{"workflow_id":"d","steps":{ {{steps}} } }"""));
        worker = (await Store.Workers.RegisterAsync([definition], Ct)).Id!;
        return definition;
    }

    private async Task<Assignment> TakeAsync(StoreHarness? store = null, string? claimId = null)
    {
        var claim = new ClaimRequest(worker, ClaimScope.ByRegistration, []) { ClaimId = claimId };
        return Assert.Single(await (store ?? Store).Steps.ClaimAsync(claim, Ct));
    }

    private async Task SendAsync(string type, string payload, string? target = null, string id = "i") =>
        Assert.Equal(SendVerdict.Kept, (await Store.Runs.SendAsync("d", id, type, payload, target, Delivery.AllWaiting, Ct)).Verdict);

    private static IEnumerable<string> Of(Assignment step) => step.Events.Select(e => $"{e.Type} {e.PayloadJson}");

    private async Task<IEnumerable<int?>> ConsumersAsync(RunRef run) => (await Store.History.InboundAsync(run.Id, null, false, 100, Ct)).Rows.Select(e => e.ConsumedBy);

    [Fact]
    public async Task A_step_is_handed_the_pending_events_of_its_types_oldest_first()
    {
        var run = await StartAsync(await RegisterAsync(""" "a":{"accepts":["E","F"]},"b":{"accepts":["E"]},"c":{} """), "i");
        await SendAsync("F", "1.0");
        await SendAsync("G", "2");
        await SendAsync("E", "3");

        Assert.Equal(["F 1.0", "E 3"], Of(await TakeAsync()));
        Assert.Empty((await TakeAsync()).Events);
        Assert.Empty((await TakeAsync()).Events);
        Assert.Equal([0, null, 0], await ConsumersAsync(run));
    }

    [Fact]
    public async Task An_event_for_one_step_is_handed_to_no_other()
    {
        await StartAsync(await RegisterAsync(""" "a":{"accepts":["E"]},"b":{"accepts":["E"]} """), "i");
        await SendAsync("E", "1", target: "b");

        Assert.Empty((await TakeAsync()).Events);
        Assert.Equal(["E 1"], Of(await TakeAsync()));
    }

    [Fact]
    public async Task A_further_attempt_is_handed_the_same_events_and_what_came_meanwhile()
    {
        await StartAsync(await RegisterAsync(""" "a":{"accepts":["E"]} """), "i");
        await SendAsync("E", "1");
        var first = await TakeAsync(claimId: "once");
        Assert.Equal(Of(first), Of(await TakeAsync(claimId: "once")));
        await Store.Steps.ReportAsync([new LeaseReport(first.Lease, new StepReport(ReportOutcome.Returned))], Ct);
        await SendAsync("E", "2");

        Assert.Equal(["E 1", "E 2"], Of(await TakeAsync()));
    }

    [Fact]
    public async Task An_event_that_was_handed_to_a_step_is_taken_by_no_wait()
    {
        var run = await StartAsync(await RegisterAsync(
            """ "a":{"accepts":["E"],"successors":{"default":["w"]}},"w":{"kind":"waitForEvent","event":"E","predecessors":["a"],"successors":{"default":["c"]}},"c":{"predecessors":["w"]} """), "i");
        await SendAsync("E", "1");
        await SucceedAsync(await TakeAsync());
        Assert.Equal(StepStatus.Waiting, (await ViewAsync(run)).Steps[1].Status);

        Assert.Equal(SendVerdict.Delivered, (await Store.Runs.SendAsync("d", "i", "E", "2", null, Delivery.AllWaiting, Ct)).Verdict);

        Assert.Equal([0, 1], await ConsumersAsync(run));
        Assert.Equal(["0"], await Engine.QueryAsync("SELECT mail FROM run"));
    }

    [Fact]
    public async Task A_step_and_a_wait_that_begin_at_the_same_moment_never_both_take_an_event()
    {
        var peer = OpenPeer();
        var definition = await RegisterAsync(
            """ "r":{"successors":{"default":["w"]}},"t":{"accepts":["E"]},"w":{"kind":"waitForEvent","event":"E","predecessors":["r"]} """);
        for (var i = 0; i < 25; i++)
        {
            var run = await StartAsync(definition, $"i{i}");
            await SendAsync("E", "1", id: $"i{i}");
            var r = await TakeAsync();
            Assert.Equal("r", r.Step.Name);

            var reporting = Task.Run(() => SucceedAsync(r), Ct);
            var taken = await Task.Run(() => TakeAsync(peer), Ct);
            await reporting;

            var wait = (await ViewAsync(run)).Steps.Single(s => definition.Steps[s.Index].Name == "w");
            Assert.Equal(1, taken.Events.Count + (wait.Status is StepStatus.Succeeded ? 1 : 0));
            await Store.Runs.ControlAsync("d", $"i{i}", ControlCommand.Cancel, Ct);
        }
    }

    [Fact]
    public async Task The_stream_shows_events_handed_to_a_step()
    {
        var definition = await RegisterAsync(""" "a":{"accepts":["E"]} """);
        var run = (await Store.Runs.StartAsync([new StartRequest(definition, "i") { Streams = true }], Ct))[0].Run!;
        await SendAsync("E", "1");
        await TakeAsync();

        var events = await Store.Events.ReadAsync(run.Id, -1, 10, Ct);
        Assert.Equal([StepEvents.QueueChangedType, StepEvents.StateChangedType], events.Select(e => e.Type));
        Assert.Contains("\"input_event_name\":\"E\"", events[1].ValueJson, StringComparison.Ordinal);
    }
}
