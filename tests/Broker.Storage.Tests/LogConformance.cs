using System.Globalization;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Tables;
using Broker.Storage.Tests.Model;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Log lines: kept in order, and a reader that goes on from an id misses none.</summary>
public abstract class LogConformance : StoreTests
{
    private protected LogConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static LogChunk Chunk(long sequence, string data = "\"x\"", string step = "s", string stream = "stdout") => new("w", step, sequence, data, 1000, stream);

    [Fact]
    public async Task Chunks_are_read_in_order_of_arrival_from_an_id_on()
    {
        await Store.Logs.PushAsync(null, [Chunk(5, "\"a\\u0000\""), Chunk(3, "\"b\"", stream: "stderr")], Ct);
        await Store.Logs.PushAsync(null, [Chunk(0, "\"other\"", step: "t")], Ct);
        await Store.Logs.PushAsync(null, [Chunk(4, "\"c\"")], Ct);

        var all = await Store.Logs.ReadAsync("w", "s", 0, 10, Ct);
        Assert.Equal(["\"a\\u0000\" info 5", "\"b\" error 3", "\"c\" info 4"], all.Select(l => $"{l.MessageJson} {l.Level} {l.Sequence}"));
        Assert.Equal(all.Skip(1).Take(1), await Store.Logs.ReadAsync("w", "s", all[0].Id, 1, Ct));
        Assert.Empty(await Store.Logs.ReadAsync("w", "s", all[2].Id, 10, Ct));
    }

    [Fact]
    public async Task Names_that_no_column_can_hold_are_found_under_the_names_they_were_pushed_with()
    {
        await Store.Logs.PushAsync(null, [new LogChunk("w\0", "s\ud800", 0, "\"x\"", 1, "stdout")], Ct);
        Assert.Single(await Store.Logs.ReadAsync("w\0", "s\ud800", 0, 10, Ct));
    }

    [Fact]
    public async Task Lines_under_a_lost_lease_keep_the_attempt_that_wrote_them()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var a = (await ClaimAsync())!;
        await Store.Logs.PushAsync(a.Lease, [Chunk(0)], Ct);
        await SucceedAsync(a);
        await Store.Logs.PushAsync(a.Lease, [Chunk(1)], Ct);
        await Store.Logs.PushAsync(LeaseId.Create(run.Id + 1000, 0, 1), [Chunk(2)], Ct);

        var lines = await Store.Logs.ReadAsync("w", "s", 0, 10, Ct);
        Assert.Equal([(run.Id, 0), (run.Id, null), (null, (int?)null)], lines.Select(l => (l.RunId, l.Attempt)));
        Assert.Equal(2, (await Store.History.LogsAsync(run.Id, null, null, null, false, 10, Ct)).Rows.Count);
    }

    [Fact]
    public async Task Lines_of_one_run_are_read_by_its_id()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var a = (await ClaimAsync())!;
        await Store.Logs.PushAsync(null, [Chunk(0)], Ct);
        await Store.Logs.PushAsync(a.Lease, [Chunk(1), Chunk(2), Chunk(3, step: "t")], Ct);

        var lines = await Store.Logs.ReadAsync(run.Id, "s", 0, 10, Ct);
        Assert.Equal([1L, 2], lines.Select(l => l.Sequence));
        Assert.Equal([2L], (await Store.Logs.ReadAsync(run.Id, "s", lines[0].Id, 10, Ct)).Select(l => l.Sequence));
        Assert.Empty(await Store.Logs.ReadAsync(run.Id + 1, "s", 0, 10, Ct));
    }

    [Fact]
    public async Task The_summary_of_a_report_is_the_last_of_its_job_and_no_line_of_the_log()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        Assert.Null(await Store.Logs.SummaryAsync(run.Id, "a", Ct));
        await Store.Steps.ReportAsync([new((await ClaimAsync())!.Lease, new(ReportOutcome.Succeeded)
        {
            ResultJson = "{}",
            Logs = [new("info", "first", LogLine.SummaryCategory), new("info", "line"), new("info", "last \u00e9\0", LogLine.SummaryCategory)],
        })], Ct);

        Assert.Equal("last \u00e9\0", System.Text.Json.JsonSerializer.Deserialize<string>((await Store.Logs.SummaryAsync(run.Id, "a", Ct))!));
        Assert.Equal(["\"line\""], (await Store.Logs.ReadAsync("d", "a", 0, 10, Ct)).Select(l => l.MessageJson));
        Assert.Null(await Store.Logs.SummaryAsync(run.Id, "b", Ct));
    }

    [Fact]
    public async Task Lines_come_with_a_report_even_under_a_lost_lease()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var a = (await ClaimAsync())!;
        StepReport Saying(string text) => new(ReportOutcome.Succeeded) { ResultJson = "1", Logs = [new LogLine("warn", text, "cat", """{"k":1.0}""")] };
        await Store.Steps.ReportAsync([new LeaseReport(a.Lease, Saying("one"))], Ct);
        Assert.Equal([ReportVerdict.Stale], await Store.Steps.ReportAsync([new LeaseReport(a.Lease, Saying("two"))], Ct));

        var lines = (await Store.History.LogsAsync(run.Id, "warn", "cat", null, false, 10, Ct)).Rows;
        Assert.Equal(["\"one\"", "\"two\""], lines.Select(l => l.MessageJson));
        Assert.All(lines, l => Assert.Equal(("a", """{"k":1.0}"""), (l.Step, l.DataJson)));
    }

    private static Task<IReadOnlyList<ReportVerdict>> ReportAsync(StoreHarness store, Assignment step, params LogLine[] lines) => store.Steps.ReportAsync(
        [new LeaseReport(step.Lease, new(ReportOutcome.Succeeded) { ResultJson = "1", Logs = lines, Events = [new("E", "{}")], ContextJson = """{"c":1}""" })], Ct);

    /// <summary>Looks from beside as soon as the transaction of a report has been committed, or ends the process just before.</summary>
    private sealed class Beside(IBatchTransaction inner, FaultyEngine engine, Func<bool> breaksOff, List<int> seen) : FaultyTransaction(inner)
    {
        public override IReadOnlyList<(StepKey Step, string? Result)> Commit(IReadOnlyList<StepKey> upstream, IReadOnlyList<LogLineRow> lines)
        {
            if (breaksOff()) throw new InvalidOperationException("broken off");
            var results = base.Commit(upstream, lines);
            using var db = engine.CreateContext();
            if (db.Steps.Any(s => s.Status == (short)StepStatus.Succeeded)) seen.Add(db.Logs.Count());
            return results;
        }
    }

    [Fact]
    public async Task Lines_of_a_report_are_there_as_soon_as_its_step_has_ended()
    {
        var seen = new List<int>();
        var store = OpenWith(Engine.Clock, new InjectedFault("looks on") { Transaction = (transaction, engine) => new Beside(transaction, engine, () => false, seen) });
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        using var subscription = store.Changes.Subscribe(Topics.Log("d", "a"));

        Assert.Equal([ReportVerdict.Accepted], await ReportAsync(store, (await ClaimAsync())!, new LogLine("info", "one"), new LogLine("info", "two\0")));

        Assert.Equal([2], seen);
        await SignalledAsync(subscription);
        var lines = await store.Logs.ReadAsync("d", "a", 0, 10, Ct);
        Assert.Equal([(run.Id, 0, 0L, "\"one\""), (run.Id, 0, 1L, "\"two\\u0000\"")], lines.Select(l => (l.RunId!.Value, l.Attempt!.Value, l.Sequence, l.MessageJson)));
    }

    [Fact]
    public async Task A_report_that_is_broken_off_leaves_neither_its_state_nor_its_lines()
    {
        var breaksOff = true;
        var store = OpenWith(Engine.Clock, new InjectedFault("breaks off") { Transaction = (transaction, engine) => new Beside(transaction, engine, () => breaksOff, []) });
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var a = (await ClaimAsync())!;

        await Assert.ThrowsAsync<InvalidOperationException>(() => ReportAsync(store, a, new LogLine("info", "one")));
        var before = await ViewAsync(run);
        Assert.Equal((StepStatus.Leased, null), (before.Steps[0].Status, before.ContextJson));
        Assert.Empty((await Store.History.LogsAsync(run.Id, null, null, null, false, 10, Ct)).Rows);
        Assert.Empty(await Store.Events.ReadAsync(run.Id, -1, 10, Ct));

        breaksOff = false;
        Assert.Equal([ReportVerdict.Accepted], await ReportAsync(store, a, new LogLine("info", "one")));
        var after = await ViewAsync(run);
        Assert.Equal((StepStatus.Succeeded, """{"c":1}"""), (after.Steps[0].Status, after.ContextJson));
        Assert.Single((await Store.History.LogsAsync(run.Id, null, null, null, false, 10, Ct)).Rows);
        Assert.Single(await Store.Events.ReadAsync(run.Id, -1, 10, Ct), e => e.Type == "E");
    }

    [Fact]
    public async Task Reports_in_one_batch_by_lease_or_by_name_keep_their_lines_with_them()
    {
        var definition = await RegisterAsync(ADefinition.Of("""{"workflow_id":"d","steps":{"a":{},"b":{},"c":{}}}"""));
        var worker = (await Store.Workers.RegisterAsync([definition], Ct)).Id!;
        var run = await StartAsync(definition, "i");
        var steps = await Store.Steps.ClaimAsync(new ClaimRequest(worker, ClaimScope.ByRegistration, [], 3), Ct);
        StepReport Saying(Assignment step) => new(ReportOutcome.Succeeded) { Logs = [new LogLine("info", step.Step.Name)] };
        NamedReport Named(Assignment step) => new(worker, "d", "i", step.Step.Name, Saying(step));

        var next = new ClaimRequest(worker, ClaimScope.ByRegistration, []);
        await Store.Steps.ReportAsync([new LeaseReport(steps[0].Lease, Saying(steps[0])), new LeaseReport(steps[0].Lease, Saying(steps[0]))], next, Ct);
        await Store.Steps.ReportAsync([Named(steps[1]), Named(steps[2])], next, Ct);
        await Store.Steps.ReportAsync(Named(steps[2]), Ct);

        var lines = (await Store.History.LogsAsync(run.Id, null, null, null, false, 10, Ct)).Rows;
        Assert.Equal(["a", "a", "b", "c", "c"], lines.Select(l => l.Step));
    }

    [Fact]
    public async Task A_reader_misses_nothing_while_brokers_push()
    {
        const int pushes = 60, writers = 4;
        var peer = OpenPeer();
        var writing = Task.WhenAll(Enumerable.Range(0, writers).Select(w => Task.Run(
            async () =>
            {
                var store = w % 2 == 0 ? Store : peer;
                for (var i = 0; i < pushes; i++)
                {
                    await store.Logs.PushAsync(null, [Chunk(i, $"\"{w}\""), Chunk(i, $"\"{w}\"")], Ct);
                }
            },
            Ct)));

        var read = new List<LogRow>();
        while (true)
        {
            var last = writing.IsCompleted;
            var page = await Store.Logs.ReadAsync("w", "s", read.Count == 0 ? 0 : read[^1].Id, 7, Ct);
            read.AddRange(page);
            if (last && page.Count == 0) break;
        }

        await writing;
        Assert.Equal(2 * pushes * writers, read.Count);
        foreach (var writer in read.GroupBy(l => l.MessageJson, StringComparer.Ordinal))
        {
            Assert.Equal(Enumerable.Range(0, pushes).SelectMany(i => new long[] { i, i }), writer.Select(l => l.Sequence));
        }
    }

    [Fact]
    public async Task A_push_wakes_readers_of_that_job()
    {
        using var subscription = Store.Changes.Subscribe(Topics.Log("w", "s"));
        await Store.Logs.PushAsync(null, [Chunk(0)], Ct);
        await SignalledAsync(subscription);
    }

    [Fact]
    public async Task Pages_of_a_runs_lines_go_both_ways_and_filter_first()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        await ReportAsync(Store, (await ClaimAsync())!, [.. Enumerable.Range(0, 10).Select(i => new LogLine(i % 2 == 0 ? "info" : "error", i.ToString(CultureInfo.InvariantCulture)))]);

        foreach (var descending in (bool[])[false, true])
        {
            var seen = new List<string>();
            long? after = null;
            for (var more = true; more;)
            {
                var page = await Store.History.LogsAsync(run.Id, "error", LogLine.DefaultCategory, after, descending, 2, Ct);
                seen.AddRange(page.Rows.Select(l => l.MessageJson));
                (after, more) = (page.Rows[^1].Id, page.HasMore);
            }

            string[] expected = ["\"1\"", "\"3\"", "\"5\"", "\"7\"", "\"9\""];
            Assert.Equal(descending ? expected.Reverse() : expected, seen);
        }

        Assert.Empty((await Store.History.LogsAsync(run.Id, "no\0ne", null, null, false, 2, Ct)).Rows);
    }
}
