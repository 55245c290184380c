using System.Globalization;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Tables;
using Broker.Storage.Tests.Model;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Maps as they are stored (invariants 28 to 30), with the incidents of other engines that they were made against.</summary>
public abstract class MapConformance : StoreTests
{
    private const string Label = MapDefinition.HandlerLabel + "resize";

    private protected MapConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact] // 28, 29
    public async Task Items_of_a_result_run_within_a_window_and_their_results_go_on_in_order()
    {
        var run = await StartAsync(await RegisterAsync(Mapped(window: 2)), "i");
        await SucceedAsync(await NextAsync("fetch"), """{"files":["a","b",3.0,{"d":null}]}""");
        Assert.Equal(["ready resize[0]", "ready resize[1]"], await RowsAsync(run));
        var first = await ItemAsync();
        var second = await ItemAsync();
        Assert.Equal(("resize[0]", "\"a\""), (first.Step.Name, first.ItemJson));
        Assert.Null(await ClaimAsync("w", null, Label));

        await SucceedAsync(second, "2");
        var third = await ItemAsync();
        Assert.Equal(("resize[2]", "3.0"), (third.Step.Name, third.ItemJson));
        await SucceedAsync(third, """{"n":3.0}""");
        await SucceedAsync(first, "\"one\"");
        Assert.Equal((RunStatus.Running, new MapProgress(4, 4, 1, 3, 0, 18, 0)), ((await ViewAsync(run)).Status, (await ViewAsync(run)).Steps[1].Items));
        await SucceedAsync(await ItemAsync(), "null");

        var publish = await NextAsync("publish");
        Assert.Equal("""["one",2,{"n":3.0},null]""", Assert.Single(publish.Upstream).ResultJson);
        await SucceedAsync(publish);
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
    }

    [Theory] // 29
    [InlineData("results", "[]")]
    [InlineData("summary", """{"count":0,"succeeded":0,"failed":0}""")]
    [InlineData("none", null)]
    public async Task An_empty_list_succeeds(string collect, string? result)
    {
        var run = await StartAsync(await RegisterAsync(Mapped(collect: collect)), "i");
        await SucceedAsync(await NextAsync("fetch"), """{"files":[]}""");
        Assert.Equal(result, Assert.Single((await NextAsync("publish")).Upstream).ResultJson);
        Assert.Empty(await RowsAsync(run));
    }

    [Theory]
    [InlineData("""{"files":7}""", "results.fetch.files: expected a list, got a number")]
    [InlineData("""{"file":[]}""", "results.fetch.files: there is no member 'files'")]
    [InlineData("[1]", "results.fetch.files: 'files' is looked for in an array, expected an object")]
    public async Task A_value_that_is_no_list_fails_the_map_with_its_place(string result, string message)
    {
        var run = await StartAsync(await RegisterAsync(Mapped()), "i");
        await SucceedAsync(await NextAsync("fetch"), result);
        var view = await ViewAsync(run);
        Assert.Equal((RunStatus.Failed, ItemList.FaultName, message, "resize"), (view.Status, view.Error?.Name, view.Error?.Message, view.Error?.Step));
    }

    [Fact]
    public async Task Items_of_an_input_begin_with_the_run()
    {
        var run = await StartAsync(await RegisterAsync(OfInputs()), "i", """{"files":[1,2]}""");
        Assert.Equal(["ready resize[0]", "ready resize[1]"], await RowsAsync(run));
        await SucceedAsync(await ItemAsync(), "10");
        await SucceedAsync(await ItemAsync(), "20");
        Assert.Equal((RunStatus.Succeeded, "[10,20]"), ((await ViewAsync(run)).Status, (await ViewAsync(run)).ResultJson));
    }

    [Fact] // 29, 30
    public async Task One_failure_too_many_fails_the_map_and_cancels_its_open_items()
    {
        var run = await StartAsync(await RegisterAsync(OfInputs(window: 3, tolerated: 1)), "i", """{"files":[1,2,3,4,5,6,7,8]}""");
        await FailAsync(await ItemAsync());
        var held = await ItemAsync();
        Assert.Equal(RunStatus.Running, (await ViewAsync(run)).Status);
        await FailAsync(await ItemAsync());
        var view = await ViewAsync(run);
        Assert.Equal((RunStatus.Failed, RunSession.ItemsFailedName, "2 items of 8 failed, 1 may; resize[2]: no"), (view.Status, view.Error?.Name, view.Error?.Message));
        Assert.Equal(["failed resize[0]", "cancelled resize[1]", "failed resize[2]", "cancelled resize[3]"], await RowsAsync(run));
        Assert.Equal(ReportVerdict.StepCancelled, await SucceedAsync(held));
        Assert.Null(await ClaimAsync("w", null, Label));
    }

    [Fact] // 29
    public async Task Tolerated_failures_leave_null_in_their_places()
    {
        var run = await StartAsync(await RegisterAsync(OfInputs(tolerated: 1)), "i", """{"files":[1,2]}""");
        await FailAsync(await ItemAsync());
        await SucceedAsync(await ItemAsync(), "2");
        Assert.Equal((RunStatus.Succeeded, "[null,2]"), ((await ViewAsync(run)).Status, (await ViewAsync(run)).ResultJson));
    }

    [Fact]
    public async Task Results_that_are_too_long_are_given_on_as_a_handle_and_read_page_by_page()
    {
        var run = await StartAsync(await RegisterAsync(OfInputs()), "i", """{"files":[1,2,3]}""");
        var large = $"\"{new string('x', 600_000)}\"";
        for (var i = 0; i < 3; i++) await SucceedAsync(await ItemAsync(), large);
        Assert.Equal("""{"count":3,"succeeded":3,"failed":0,"items":{"workflow":"m","instance":"i","run":0,"step":"resize"}}""", (await ViewAsync(run)).ResultJson);

        var map = (await ViewAsync(run)).Definition.Maps[0];
        var page = await Store.History.ItemsAsync(run.Id, map, 0, false, new HashSet<StepStatus>(), 2, Ct);
        Assert.Equal(["2", "3"], page.Rows.Select(item => item.Input));
        Assert.False(page.HasMore);
        Assert.All(page.Rows, item => Assert.Equal(large, item.Result));
        Assert.Equal([0], (await Store.History.ItemsAsync(run.Id, map, 1, true, new HashSet<StepStatus> { StepStatus.Succeeded }, 1, Ct)).Rows.Select(item => MapDefinition.NumberOf(item.Index)));
        Assert.Empty((await Store.History.ItemsAsync(run.Id, map, -1, false, new HashSet<StepStatus> { StepStatus.Failed }, 10, Ct)).Rows);
    }

    [Fact] // 24: hatchet, Conductor: a retry ran finished items again
    public async Task A_retry_runs_only_the_items_that_did_not_succeed()
    {
        await StartAsync(await RegisterAsync(Mapped(window: 2)), "i");
        await SucceedAsync(await NextAsync("fetch"), """{"files":["a","b","c","d","e"]}""");
        await SucceedAsync(await ItemAsync(), "\"A\"");
        var held = await ItemAsync();
        await SucceedAsync(await ItemAsync(), "\"C\"");
        await FailAsync(await ItemAsync());
        var retry = await Store.Runs.RerunAsync(new("m", "i"), Ct);
        Assert.Equal(["fetch"], retry.Kept);
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(held));
        Assert.Equal(["succeeded resize[0]", "ready resize[1]", "succeeded resize[2]", "ready resize[3]"], await RowsAsync(retry.Run!));
        foreach (var expected in (string[])["resize[1]", "resize[3]", "resize[4]"])
        {
            var item = await ItemAsync();
            Assert.Equal(expected, item.Step.Name);
            await SucceedAsync(item, "\"again\"");
        }

        Assert.Equal("""["A","again","C","again","again"]""", Assert.Single((await NextAsync("publish")).Upstream).ResultJson);
    }

    [Fact] // 24
    public async Task A_fork_keeps_the_items_of_a_map_that_has_ended()
    {
        var run = await StartAsync(await RegisterAsync(Mapped()), "i");
        await SucceedAsync(await NextAsync("fetch"), """{"files":[1,2]}""");
        await SucceedAsync(await ItemAsync(), "1");
        await SucceedAsync(await ItemAsync(), "2");
        await SucceedAsync(await NextAsync("publish"));
        var fork = await Store.Runs.RerunAsync(new("m", "i") { ForkInto = "j", Steps = ["publish"] }, Ct);
        Assert.Equal(await RowsAsync(run), await RowsAsync(fork.Run!));
        Assert.Equal("[1,2]", Assert.Single((await NextAsync("publish")).Upstream).ResultJson);
    }

    [Fact] // 28
    public async Task A_map_behind_a_wait_whose_event_is_kept_begins_with_the_end_of_the_map_above()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "m", "steps": {
              "a": {"kind": "map", "items": "inputs.files", "item": {"handler": "resize"}, "successors": {"default": ["w"]}},
              "w": {"kind": "waitForEvent", "event": "go", "predecessors": ["a"], "successors": {"default": ["b"]}},
              "b": {"kind": "map", "items": "inputs.files", "item": {"handler": "resize"}, "predecessors": ["w"]}}}
            """)), "i", """{"files":[1]}""");
        await Store.Runs.SendAsync("m", "i", "go", null, null, Delivery.First, Ct);
        await SucceedAsync(await ItemAsync(), "1");
        Assert.Equal("b[0]", (await ItemAsync()).Step.Name);
        Assert.Equal(RunStatus.Running, (await ViewAsync(run)).Status);
    }

    [Fact] // 10
    public async Task A_pause_holds_the_items_and_those_that_begin_meanwhile()
    {
        var run = await StartAsync(await RegisterAsync(OfInputs(window: 1)), "i", """{"files":[1,2]}""");
        var first = await ItemAsync();
        await Store.Runs.ControlAsync("m", "i", ControlCommand.Pause, Ct);
        await SucceedAsync(first);
        Assert.Equal(RunStatus.Paused, (await ViewAsync(run)).Status);
        Assert.Null(await ClaimAsync("w", null, Label));
        await Store.Runs.ControlAsync("m", "i", ControlCommand.Resume, Ct);
        await SucceedAsync(await ItemAsync());
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
    }

    [Fact] // 12, 30
    public async Task A_cancel_ends_the_open_items_and_begins_no_other()
    {
        var run = await StartAsync(await RegisterAsync(OfInputs(window: 2)), "i", """{"files":[1,2,3,4]}""");
        var held = await ItemAsync();
        await Store.Runs.ControlAsync("m", "i", ControlCommand.Cancel, Ct);
        Assert.Equal(ReportVerdict.StepCancelled, await SucceedAsync(held));
        Assert.Equal(["cancelled resize[0]", "cancelled resize[1]"], await RowsAsync(run));
    }

    [Fact] // 27
    public async Task A_map_that_is_completed_by_hand_cancels_its_items()
    {
        var run = await StartAsync(await RegisterAsync(OfInputs(window: 2)), "i", """{"files":[1,2,3]}""");
        Assert.Equal(HandVerdict.Done, await Store.Runs.ByHandAsync(run, "resize[1]", (_, _, _) => new(HandAction.Complete, "7"), Ct));
        Assert.Equal(["ready resize[0]", "succeeded resize[1]", "ready resize[2]"], await RowsAsync(run));
        Assert.Equal(HandVerdict.Done, await Store.Runs.ByHandAsync(run, "resize", (_, _, _) => new(HandAction.Complete, "[]"), Ct));
        Assert.Equal(["cancelled resize[0]", "succeeded resize[1]", "cancelled resize[2]"], await RowsAsync(run));
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
    }

    [Fact] // Netflix/conductor #1744, conductor-oss/conductor #18
    public async Task The_join_does_not_fire_before_the_last_of_items_that_end_together()
    {
        var run = await StartAsync(await RegisterAsync(Mapped(window: 8)), "i");
        await SucceedAsync(await NextAsync("fetch"), """{"files":[0,1,2,3,4,5,6,7,8,9,10,11]}""");
        var done = 0;
        while (done < 12)
        {
            var claimed = await Store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [Label], 5), Ct);
            Assert.Equal(StepStatus.Waiting, (await ViewAsync(run)).Steps[1].Status);
            await Task.WhenAll(claimed.Select(item => SucceedAsync(item, item.ItemJson!)));
            done += claimed.Count;
        }

        Assert.Equal("[0,1,2,3,4,5,6,7,8,9,10,11]", Assert.Single((await NextAsync("publish")).Upstream).ResultJson);
    }

    [Fact] // Netflix/conductor #1767
    public async Task The_end_of_an_item_reads_no_other_item()
    {
        const int items = 3000;
        var run = await StartAsync(await RegisterAsync(OfInputs(window: 1000, collect: "summary")), "i", $$"""{"files":[{{string.Join(',', Enumerable.Range(0, items))}}]}""");
        Assert.Equal(1000, (await RowsAsync(run)).Count);
        await Engine.PassAsync(TimeSpan.FromSeconds(1));
        var reads = new ReadCount();
        await using var counted = OpenWith(Engine.Clock, new InjectedFault("counts") { Transaction = (inner, _) => new Counting(inner, reads) });
        for (var i = 0; i < 20; i++)
        {
            var item = (await counted.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [Label]), Ct)).Single();
            await counted.Steps.ReportAsync([new LeaseReport(item.Lease, new StepReport(ReportOutcome.Succeeded))], Ct);
        }

        Assert.Equal((20, 0), (reads.Steps, reads.Items));
        Assert.Equal(1020, (await RowsAsync(run)).Count);
    }

    [Fact] // 28
    public async Task Several_brokers_never_open_more_items_than_the_window_and_begin_each_once()
    {
        const int items = 120;
        var run = await StartAsync(await RegisterAsync(OfInputs(window: 7)), "i", $$"""{"files":[{{string.Join(',', Enumerable.Range(0, items))}}]}""");
        var brokers = new[] { Store, OpenPeer(), OpenPeer() };
        var most = 0;
        var seen = new int[items];
        await Task.WhenAll(brokers.SelectMany((broker, b) => Enumerable.Range(0, 3).Select(w => Task.Run(
            async () =>
            {
                while ((await ViewAsync(run)).Status is not RunStatus.Succeeded)
                {
                    foreach (var item in await broker.Steps.ClaimAsync(new ClaimRequest($"w{b}{w}", ClaimScope.ByLabels, [Label], 2), Ct))
                    {
                        var open = await Engine.QueryAsync($"SELECT count(*) FROM step WHERE run_id = {run.Id} AND idx >= {StepDefinition.FirstDynamic} AND status IN (1, 2, 8)");
                        InterlockedMax(ref most, int.Parse(open[0], CultureInfo.InvariantCulture));
                        Interlocked.Increment(ref seen[JsonElement.Parse(item.ItemJson!).GetInt32()]);
                        await broker.Steps.ReportAsync([new LeaseReport(item.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = item.ItemJson })], Ct);
                    }
                }
            },
            Ct))));
        Assert.InRange(most, 1, 7);
        Assert.All(seen, times => Assert.Equal(1, times));
        Assert.Equal($"[{string.Join(',', Enumerable.Range(0, items))}]", (await ViewAsync(run)).ResultJson);
    }

    [Fact]
    public async Task An_item_that_loses_its_lease_keeps_its_place_and_its_slot()
    {
        var run = await StartAsync(await RegisterAsync(OfInputs(window: 1)), "i", """{"files":[1,2]}""");
        var lost = (await Store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [Label], 1, 1), Ct)).Single();
        await Engine.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(1, await Store.Runs.ExpireLeasesAsync(10, Ct));
        Assert.Equal(["ready resize[0]"], await RowsAsync(run));
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(lost));
        Assert.Equal("resize[0]", (await ItemAsync()).Step.Name);
    }

    [Fact]
    public async Task Rows_of_a_run_without_a_map_hold_nothing_of_it()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a")), "i");
        await SucceedAsync(await NextAsync("a"));
        Assert.Equal("2", Assert.Single(await Engine.QueryAsync("SELECT count(*) FROM step WHERE name IS NULL AND kind IS NULL AND input IS NULL AND items IS NULL")));
    }

    private static WorkflowDefinition Mapped(int window = 50, int tolerated = 0, string collect = "results") => ADefinition.Of($$"""
        {"workflow_id": "m", "steps": {
          "fetch": {"command": "x", "successors": {"default": ["resize"]} },
          "resize": {"kind": "map", "items": "results.fetch.files", "item": {"handler": "resize"}, "max_parallel": {{window}}, "tolerate": {"failures": {{tolerated}} }, "collect": "{{collect}}",
            "predecessors": ["fetch"], "successors": {"default": ["publish"]} },
          "publish": {"command": "x", "predecessors": ["resize"]} } }
        """);

    private static WorkflowDefinition OfInputs(int window = 50, int tolerated = 0, string collect = "results") => ADefinition.Of($$"""
        {"workflow_id": "m", "steps": {"resize": {"kind": "map", "items": "inputs.files", "item": {"handler": "resize"}, "max_parallel": {{window}},
          "tolerate": {"failures": {{tolerated}} }, "collect": "{{collect}}"} } }
        """);

    private async Task<Assignment> NextAsync(string step)
    {
        var claimed = await ClaimAsync();
        Assert.Equal(step, claimed?.Step.Name);
        return claimed!;
    }

    private async Task<Assignment> ItemAsync() => (await ClaimAsync("w", null, Label)) ?? throw new InvalidOperationException("no item is ready");

    private async Task<IReadOnlyList<string>> RowsAsync(RunRef run)
    {
        var rows = await Engine.QueryAsync($"SELECT status, name FROM step WHERE run_id = {run.Id} AND idx >= {StepDefinition.FirstDynamic} ORDER BY idx");
        return [.. rows.Select(row => row.Split(',')).Select(row => $"{((StepStatus)int.Parse(row[0], CultureInfo.InvariantCulture)).ToString().ToLowerInvariant()} {row[1]}")];
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var before = Volatile.Read(ref most); before < value; before = Volatile.Read(ref most)) Interlocked.CompareExchange(ref most, value, before);
    }

    private sealed class ReadCount
    {
        public int Steps { get; set; }
        public int Items { get; set; }
    }

    private sealed class Counting(IBatchTransaction inner, ReadCount reads) : FaultyTransaction(inner)
    {
        public override ILookup<long, StepState> Steps(IReadOnlyList<StepKey> steps)
        {
            reads.Steps += steps.Count;
            return base.Steps(steps);
        }

        public override ILookup<long, StepState> ActiveSteps(IReadOnlyList<long> runs, int below = int.MaxValue)
        {
            reads.Items++;
            return base.ActiveSteps(runs, below);
        }
    }
}
