using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Reading: pages neither skip nor repeat, and both engines order alike.</summary>
public abstract class HistoryConformance : StoreTests
{
    private protected HistoryConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private async Task StartAllAsync(WorkflowDefinition definition, params IEnumerable<string> ids)
    {
        foreach (var id in ids) await StartAsync(definition, id);
    }

    [Fact]
    public async Task Ids_are_listed_in_descending_byte_order()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        string[] ids = ["b", "B", "a-1", "a_1", "a1", "é", "z", "10", "9", "\uffee", "\ud83d\ude00"];
        await StartAllAsync(definition, ids);
        await StartAllAsync(await RegisterAsync(ADefinition.Jobs("other", "a")), "x");

        var page = await Store.History.ListByIdAsync("d", null, 100, Ct);
        var bytes = ids.OrderByDescending(id => Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(id)), StringComparer.Ordinal);
        Assert.Equal(bytes, page.Rows.Select(r => r.Ref.InstanceId));
        Assert.False(page.HasMore);
    }

    [Fact]
    public async Task Pages_by_id_show_each_instance_once_while_others_are_added()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var before = Enumerable.Range(0, 20).Select(i => $"i{i:00}").ToList();
        await StartAllAsync(definition, before);
        var seen = new List<string>();
        var more = true;
        for (var added = 0; more; added++)
        {
            var page = await Store.History.ListByIdAsync("d", seen.Count == 0 ? null : seen[^1], 3, Ct);
            seen.AddRange(page.Rows.Select(r => r.Ref.InstanceId));
            more = page.HasMore;
            await StartAllAsync(definition, $"i{added:00}x", $"zz{added}");
        }

        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Equal(seen.OrderByDescending(id => id, StringComparer.Ordinal), seen);
        Assert.Equal(before, seen.Where(before.Contains).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Pages_by_status_show_each_instance_once_while_others_are_added()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var before = Enumerable.Range(0, 12).Select(i => $"i{i:00}").ToList();
        await Store.Runs.StartAsync(before.ConvertAll(id => new StartRequest(definition, id)), Ct);
        foreach (var id in before.Where((_, i) => i % 2 == 0)) await Store.Runs.ControlAsync("d", id, ControlCommand.Cancel, Ct);

        var seen = new List<RunView>();
        var more = true;
        for (var added = 0; more; added++)
        {
            (DateTimeOffset, string)? after = seen.Count == 0 ? null : (seen[^1].UpdatedAt, seen[^1].Ref.InstanceId);
            var page = await Store.History.ListByStatusAsync("d", new HashSet<RunStatus> { RunStatus.Queued }, after, 2, Ct);
            seen.AddRange(page.Rows);
            more = page.HasMore;
            await StartAllAsync(definition, $"n{added}");
        }

        Assert.All(seen, r => Assert.Equal(RunStatus.Queued, r.Status));
        Assert.Equal(before.Where((_, i) => i % 2 == 1), seen.Select(r => r.Ref.InstanceId).Where(before.Contains).Order(StringComparer.Ordinal));
        Assert.Equal(seen.Count, seen.Select(r => r.Ref.InstanceId).Distinct().Count());
    }

    [Fact]
    public async Task A_filter_by_status_agrees_with_the_status_that_is_shown()
    {
        var definition = await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "d", "jobs": {"name": "d", "trigger": ""}, "steps": {
              "a": {"command": "x", "depends_on": [], "retry_policy": {"max_retries": 1, "backoff": {"Fixed": {"delay_secs": 60}}}},
              "b": {"command": "x", "depends_on": ["a"]}}}
            """));
        await StartAllAsync(definition, "queued", "running", "between", "retrying", "pausing", "paused", "succeeded", "failed", "cancelled");
        var held = new Dictionary<string, Assignment>();
        for (var claimed = await ClaimAsync(); claimed is not null; claimed = await ClaimAsync()) held[claimed.Run.InstanceId] = claimed;
        Task<ReportVerdict> ReturnAsync(string id) => ReturnedAsync(held[id]);
        await ReturnAsync("queued");
        await SucceedAsync(held["between"]);
        await FailAsync(held["retrying"]);
        await FailAsync(held["failed"], retryable: false);
        await SucceedAsync(held["succeeded"]);
        foreach (var step in (await Store.Steps.ClaimAsync(new ClaimRequest("w2", ClaimScope.ByLabels, [], 10), Ct)).OrderBy(s => s.Run.InstanceId, StringComparer.Ordinal))
        {
            if (step.Run.InstanceId == "succeeded") await SucceedAsync(step);
            else await ReturnedAsync(step);
        }

        await Store.Runs.ControlAsync("d", "pausing", ControlCommand.Pause, Ct);
        await ReturnAsync("paused");
        await Store.Runs.ControlAsync("d", "paused", ControlCommand.Pause, Ct);
        await Store.Runs.ControlAsync("d", "cancelled", ControlCommand.Cancel, Ct);

        var shown = (await Store.History.ListAsync(["d"], Ct)).ToDictionary(r => r.Ref.InstanceId, r => r.Status);
        Assert.Equal(
            [RunStatus.Waiting, RunStatus.Running, RunStatus.Pausing, RunStatus.Paused, RunStatus.Succeeded, RunStatus.Failed, RunStatus.Cancelled],
            new[] { "retrying", "running", "pausing", "paused", "succeeded", "failed", "cancelled" }.Select(id => shown[id]));
        foreach (var status in Enum.GetValues<RunStatus>())
        {
            var filtered = await Store.History.ListByStatusAsync("d", new HashSet<RunStatus> { status }, null, 100, Ct);
            Assert.Equal(
                shown.Where(s => s.Value == status).Select(s => s.Key).Order(StringComparer.Ordinal),
                filtered.Rows.Select(r => r.Ref.InstanceId).Order(StringComparer.Ordinal));
            Assert.All(filtered.Rows, r => Assert.Equal(status, r.Status));
        }

        foreach (var (id, status) in shown) Assert.Equal(status, (await Store.History.FindAsync("d", id, null, Ct))!.Status);
    }

    private async Task<ReportVerdict> ReturnedAsync(Assignment step) =>
        (await Store.Steps.ReportAsync([new LeaseReport(step.Lease, new StepReport(ReportOutcome.Returned))], Ct))[0];

    [Fact]
    public async Task Steps_page_both_ways_in_order_of_begin_with_those_that_wait_for_a_worker_last()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a", "b", "c", "e", "f")), "i");
        for (var i = 0; i < 4; i++) await ClaimAsync();
        var inOrder = (await ViewAsync(run)).Steps.OrderBy(s => s.BegunAt ?? DateTimeOffset.MaxValue).ThenBy(s => s.Index).Select(s => s.Index).ToList();
        Assert.Equal(5, inOrder.Count);
        foreach (var descending in (bool[])[false, true])
        {
            var seen = new List<StepState>();
            for (var more = true; more;)
            {
                (DateTimeOffset, int)? after = seen.Count == 0 ? null : (seen[^1].BegunAt ?? DateTimeOffset.MaxValue, seen[^1].Index);
                var page = await Store.History.StepsAsync(run.Id, after, descending, 1, Ct);
                seen.AddRange(page.Rows);
                more = page.HasMore;
            }

            Assert.Equal(descending ? Enumerable.Reverse(inOrder) : inOrder, seen.Select(s => s.Index));
        }
    }

    [Fact]
    public async Task Inbound_events_page_both_ways_in_order_of_arrival()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        foreach (var i in Enumerable.Range(0, 5)) await Store.Runs.SendAsync("d", "i", $"t{i}", i == 0 ? null : $"{i}.0", null, Delivery.First, Ct);
        foreach (var descending in (bool[])[false, true])
        {
            var seen = new List<InboxEvent>();
            for (var more = true; more;)
            {
                var page = await Store.History.InboundAsync(run.Id, seen.Count == 0 ? null : seen[^1].Id, descending, 2, Ct);
                seen.AddRange(page.Rows);
                more = page.HasMore;
            }

            if (descending) seen.Reverse();
            Assert.Equal(["t0", "t1", "t2", "t3", "t4"], seen.Select(m => m.Type));
            Assert.Equal([null, "1.0", "2.0", "3.0", "4.0"], seen.Select(m => m.PayloadJson));
        }
    }

    [Fact]
    public async Task Runs_of_all_workflows_are_listed_by_creation_and_pages_go_on_where_the_last_one_ended()
    {
        var definitions = new List<WorkflowDefinition>();
        foreach (var name in (string[])["b", "a", "c"]) definitions.Add(await RegisterAsync(ADefinition.Jobs(name, "a")));
        var order = new List<string>();
        for (var i = 0; i < 90; i++)
        {
            var definition = definitions[i * i % 3];
            await StartAsync(definition, $"i{i}");
            order.Add($"{definition.Name} i{i}");
            await Engine.PassAsync(TimeSpan.FromMilliseconds(1));
        }

        await Store.Runs.ControlAsync("b", "i0", ControlCommand.Restart, Ct);
        order.RemoveAt(0);
        order.Add("b i0");

        static string NameOf(RunView run) => $"{run.Ref.Workflow} {run.Ref.InstanceId}";
        foreach (var page in (int[])[1, 7, 200]) Assert.Equal(order, (await Store.History.ListAsync(null, Ct, page)).Select(NameOf));
        Assert.Equal(order.Where(n => n[0] != 'a'), (await Store.History.ListAsync(["c", "b", "b", "none"], Ct, 7)).Select(NameOf));

        RunPlace? after = null;
        var seen = new List<string>();
        while (await (await Store.History.WalkAsync(null, after, Ct)).NextAsync(4, Ct) is [.., var last] rows)
        {
            seen.AddRange(rows.Select(NameOf));
            after = RunPlace.Of(last);
        }

        Assert.Equal(order, seen);
    }

    [Fact]
    public async Task The_last_run_of_a_workflow_is_the_one_started_last()
    {
        var d = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var e = await RegisterAsync(ADefinition.Jobs("e", "a"));
        await RegisterAsync(ADefinition.Jobs("never", "a"));
        await StartAllAsync(d, "1", "2");
        await StartAllAsync(e, "1");
        var again = (await Store.Runs.ControlAsync("d", "1", ControlCommand.Restart, Ct)).Run!;

        Assert.Equal(again, (await Store.History.LatestOfAsync("d", Ct))!.Ref);
        var latest = await Store.History.LatestOfAsync(["d", "e", "never", "no\0ne", "d"], Ct);
        Assert.Equal(["d", "e"], latest.Keys.Order());
        Assert.Equal(again, latest["d"].Ref);
        Assert.Single(latest["d"].Steps);
        Assert.Equal("e", (await Store.History.FindByInstanceAsync("1", Ct))!.Ref.Workflow);
    }

    [Fact]
    public async Task A_name_that_no_column_can_hold_is_not_found()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        foreach (var odd in (string[])["i\0", "\ud800"])
        {
            Assert.Null(await Store.History.FindAsync("d", odd, null, Ct));
            Assert.Null(await Store.History.FindAsync(odd, "i", null, Ct));
            Assert.Null(await Store.History.FindByInstanceAsync(odd, Ct));
            Assert.Null(await Store.History.LatestOfAsync(odd, Ct));
            Assert.Empty((await Store.History.ListByIdAsync(odd, null, 5, Ct)).Rows);
            Assert.Empty((await Store.History.ListByIdAsync("d", odd, 5, Ct)).Rows);
            Assert.Empty((await Store.History.ListByStatusAsync(odd, new HashSet<RunStatus> { RunStatus.Queued }, null, 5, Ct)).Rows);
            Assert.Empty(await Store.History.ListAsync([odd], Ct));
            Assert.Equal(ControlVerdict.UnknownRun, (await Store.Runs.ControlAsync("d", odd, ControlCommand.Cancel, Ct)).Verdict);
            Assert.Equal(SendVerdict.UnknownRun, (await Store.Runs.SendAsync("d", odd, "t", null, null, Delivery.First, Ct)).Verdict);
            Assert.Equal(
                ReportVerdict.UnknownRun, await Store.Steps.ReportAsync(new NamedReport("w", "d", odd, "a", new StepReport(ReportOutcome.Succeeded)), Ct));
            Assert.Null(await Store.Leases.FindLeaseAsync("w", "d", odd, "a", Ct));
        }
    }

    [Fact]
    public async Task Payloads_come_out_as_they_went_in()
    {
        const string odd = """{"a": 1.0, "b":[12345678901234567890123.10, 1e400 ], "c":"\u0000\ud83d\ude00", "a":2}""";
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i", odd);
        var a = (await ClaimAsync())!;
        Assert.Equal(odd, a.InputsJson);
        await SucceedAsync(a, odd);
        var view = await ViewAsync(run);
        var step = Assert.Single((await Store.History.StepsAsync(run.Id, null, false, 10, Ct)).Rows);
        Assert.Equal((odd, odd, odd), (view.InputsJson, view.ResultJson, step.Result));
    }
}
