using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Runs that ended long ago are removed and others stay; a read meanwhile sees a run whole or not at all.</summary>
public abstract class RetentionConformance : StoreTests
{
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    private protected RetentionConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task Ended_runs_are_removed_when_they_are_old_with_all_that_is_theirs()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var run = await StartAsync(definition, "done", streams: true);
        await Store.Runs.SendAsync("d", "done", "go", "{}", null, Delivery.First, Ct);
        Assert.Equal(ReportVerdict.Accepted, await PostponeAsync((await ClaimAsync())!));
        Assert.Equal(["1"], await Engine.QueryAsync($"SELECT count(*) FROM step_attempt WHERE run_id = {run.Id}"));
        var step = (await ClaimAsync())!;
        await Store.Logs.PushAsync(step.Lease, [new("d", "a", 0, "\"line\"", 1, "stdout")], Ct);
        await SucceedAsync(step);
        Assert.NotNull(await Store.Events.TryLockQueueAsync(run.Id, "reader", TimeSpan.FromSeconds(1), Ct));

        Assert.Equal(0, await RemoveAsync(RetentionTimes.Of(Month)));
        await Engine.PassAsync(Month - TimeSpan.FromMinutes(1));
        Assert.Equal(0, await RemoveAsync(RetentionTimes.Of(Month)));
        await StartAsync(definition, "going");
        await Engine.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await RemoveAsync(RetentionTimes.Of(Month)));

        Assert.Equal("going", Assert.Single(await Store.History.ListAsync(null, Ct)).Ref.InstanceId);
        foreach (var table in (string[])["step", "step_attempt", "event", "stream", "inbox", "log"])
            Assert.Equal(["0"], await Engine.QueryAsync($"SELECT count(*) FROM {table} WHERE run_id = {run.Id}"));
        await Engine.PassAsync(Month);
        Assert.Equal(0, await RemoveAsync(RetentionTimes.Of(Month)));
    }

    [Fact]
    public async Task Late_requests_for_a_removed_run_find_no_run_and_change_nothing()
    {
        var definition = ADefinition.Graph("g", "a");
        var worker = (await Store.Workers.RegisterAsync([definition], Ct)).Id!;
        await StartAsync((await Store.Definitions.LatestAsync("g", Ct))!, "i");
        var step = Assert.Single(await Store.Steps.ClaimAsync(new ClaimRequest(worker, ClaimScope.ByRegistration, []), Ct));
        await Store.Runs.ControlAsync("g", "i", ControlCommand.Cancel, Ct);
        await Engine.PassAsync(Month);
        await Engine.PassAsync(Month);
        Assert.Equal(1, await RemoveAsync(RetentionTimes.Of(Month)));

        var success = new StepReport(ReportOutcome.Succeeded);
        Assert.Equal(ReportVerdict.UnknownRun, await Store.Steps.ReportAsync(new NamedReport(worker, "g", "i", "a", success), Ct));
        Assert.Equal(ReportVerdict.UnknownRun, await Store.Steps.ReportAsync(new NamedReport(worker, "g", "i", "a", success, step.Lease), Ct));
        Assert.Equal([HeartbeatVerdict.Gone], await Store.Steps.HeartbeatAsync(worker, [new("g", "i", "a")], Ct));
        Assert.Equal([HeartbeatVerdict.Gone], await Store.Steps.HeartbeatAsync(worker, [new("g", "i", "a", step.Lease)], Ct));
        Assert.Null(await Store.Leases.FindLeaseAsync(worker, "g", "i", "a", Ct));
        Assert.False(await Store.Steps.PublishAsync(step.Lease, [new("T", "{}")], Ct));
    }

    [Fact]
    public async Task Lines_that_belong_to_no_run_go_by_their_age()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        var step = (await ClaimAsync())!;
        Task PushAsync(LeaseId? lease, string text) => Store.Logs.PushAsync(lease, [new("d", "a", 0, $"\"{text}\"", 1, "stdout")], Ct);
        async Task<IEnumerable<string>> LeftAsync() => (await Store.Logs.ReadAsync("d", "a", 0, 10, Ct)).Select(l => l.MessageJson.Trim('"'));

        await PushAsync(step.Lease, "of the run");
        await PushAsync(null, "under no lease");
        await PushAsync(LeaseId.Create(run.Id + 1000, 0, 1), "under a lease of no run");
        await PushAsync(null, "a third");
        await Engine.PassAsync(Month - TimeSpan.FromMinutes(1));
        await PushAsync(null, "young");
        Assert.Equal(0, await Store.Logs.PruneStrayAsync(Month, 10, Ct));

        await Engine.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(2, await Store.Logs.PruneStrayAsync(Month, 2, Ct));
        Assert.Equal(["of the run", "a third", "young"], await LeftAsync());
        Assert.Equal(1, await Store.Logs.PruneStrayAsync(Month, 2, Ct));
        Assert.Equal(0, await Store.Logs.PruneStrayAsync(Month, 2, Ct));
        Assert.Equal(["of the run", "young"], await LeftAsync());
    }

    [Fact]
    public async Task Each_status_has_a_time_of_its_own_and_zero_keeps()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        foreach (var id in (string[])["good", "bad", "stopped"]) await StartAsync(definition, id);
        await SucceedAsync((await ClaimAsync())!);
        await FailAsync((await ClaimAsync())!, retryable: false);
        await Store.Runs.ControlAsync("d", "stopped", ControlCommand.Cancel, Ct);
        await Engine.PassAsync(TimeSpan.FromDays(2));

        Assert.Equal(0, await RemoveAsync(RetentionTimes.Of(TimeSpan.Zero)));
        Assert.Equal(1, await RemoveAsync(new(TimeSpan.Zero, TimeSpan.FromDays(1), TimeSpan.FromDays(3))));
        Assert.Equal(["good", "stopped"], await LeftAsync());
        Assert.Equal(1, await RemoveAsync(new(TimeSpan.FromDays(3), TimeSpan.Zero, TimeSpan.FromDays(1))));
        Assert.Equal(["good"], await LeftAsync());
        Assert.Equal(1, await RemoveAsync(new(TimeSpan.FromDays(1), TimeSpan.Zero, TimeSpan.Zero)));
        Assert.Empty(await LeftAsync());
    }

    /// <summary>A jobs workflow is one instance for ever: without this its old runs would be kept for ever too.</summary>
    [Fact]
    public async Task Old_runs_of_a_living_instance_go_and_the_current_one_goes_last()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        await StartAsync(definition, "i");
        await FailAsync((await ClaimAsync())!, retryable: false);
        for (var i = 0; i < 2; i++)
        {
            await StartAgainAsync(definition, "i");
            await SucceedAsync((await ClaimAsync())!);
        }

        await Engine.PassAsync(TimeSpan.FromDays(2));

        // Run 0 failed and is kept: run 2 stays too, else the instance would have no current run.
        Assert.Equal(1, await RemoveAsync(new(TimeSpan.FromDays(1), TimeSpan.Zero, TimeSpan.Zero)));
        Assert.Equal([0, 2], await NumbersAsync());
        await StartAgainAsync(definition, "i");
        Assert.Equal(2, await RemoveAsync(RetentionTimes.Of(TimeSpan.FromDays(1))));
        Assert.Equal([3], await NumbersAsync());
        Assert.NotNull(await ClaimAsync());
        Assert.Equal(RunStatus.Running, (await Store.History.FindAsync("d", "i", null, Ct))!.Status);
        Assert.Null(await Store.History.FindAsync("d", "i", 2, Ct));
    }

    [Fact]
    public async Task A_round_is_bounded_and_the_next_one_goes_on()
    {
        var names = Enumerable.Range(0, 3).Select(i => $"w{i}").ToList();
        foreach (var name in names)
        {
            var definition = await RegisterAsync(ADefinition.Of(ADefinition.Document(name, "1", "")));
            await Store.Runs.StartAsync([.. Enumerable.Range(0, 900).Select(i => new StartRequest(definition, $"i{i}"))], Ct);
        }

        await StartAsync(await RegisterAsync(ADefinition.Jobs("w1b", "a")), "going");
        await Engine.PassAsync(TimeSpan.FromDays(2));
        var keep = RetentionTimes.Of(TimeSpan.FromDays(1));
        var first = await Store.Retention.RemoveEndedAsync(keep, Ct);
        Assert.Equal((2000, 2000 - 1, false), (first.Looked, first.Removed, first.Finished));
        var second = await Store.Retention.RemoveEndedAsync(keep, Ct);
        Assert.Equal((2700 - 1999, 2700 - 1999, true), (second.Looked, second.Removed, second.Finished));
        Assert.Equal(["going"], await LeftAsync());
    }

    [Fact]
    public async Task Workflows_without_old_runs_are_not_asked_one_by_one()
    {
        var old = await RegisterAsync(ADefinition.Of(ADefinition.Document("old", "1", "")));
        await StartAsync(old, "done");
        await Engine.PassAsync(TimeSpan.FromDays(2));
        for (var i = 0; i < 20; i++) await StartAsync(await RegisterAsync(ADefinition.Jobs($"w{i}", "a")), "new");

        Assert.Equal(1, await RemoveAsync(RetentionTimes.Of(TimeSpan.FromDays(1))));
        using var statements = new StatementCounter();
        Assert.Equal(0, await RemoveAsync(RetentionTimes.Of(TimeSpan.FromDays(1))));
        Assert.Equal(1, statements.Count);
    }

    [Fact]
    public async Task Pages_show_what_stays_once_while_the_rest_disappears()
    {
        var definition = await RegisterAsync(ADefinition.Of(ADefinition.Document("d", "1", "")));
        await Store.Runs.StartAsync([.. Enumerable.Range(0, 40).Select(i => new StartRequest(definition, $"i{2 * i:00}"))], Ct);
        await Engine.PassAsync(TimeSpan.FromDays(2));
        await Store.Runs.StartAsync([.. Enumerable.Range(0, 40).Select(i => new StartRequest(definition, $"i{(2 * i) + 1:00}"))], Ct);

        var seen = new List<RunView>();
        var more = true;
        while (more)
        {
            var page = await Store.History.ListByIdAsync("d", seen.Count == 0 ? null : seen[^1].Ref.InstanceId, 7, Ct);
            seen.AddRange(page.Rows);
            more = page.HasMore;
            if (seen.Count == 21) Assert.Equal(40, await RemoveAsync(RetentionTimes.Of(TimeSpan.FromDays(1))));
        }

        Assert.Equal(seen.Count, seen.Select(r => r.Ref.InstanceId).Distinct().Count());
        Assert.All(seen, r => Assert.Equal(RunStatus.Succeeded, r.Status));
        Assert.Equal(40, seen.Count(r => int.Parse(r.Ref.InstanceId.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture) % 2 == 1));
    }

    [Fact]
    public async Task Runs_that_are_read_and_continued_while_they_are_removed_are_whole_or_gone()
    {
        var definition = await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "d", "steps": {"nap": {"kind": "sleep", "duration_ms": 1, "predecessors": [], "successors": {"default": []}}}}
            """));
        await Store.Runs.StartAsync([.. Enumerable.Range(0, 300).Select(i => new StartRequest(definition, $"i{i}"))], Ct);
        await Engine.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(300, await Store.Runs.FinishDueAsync(300, Ct));
        await Engine.PassAsync(TimeSpan.FromDays(2));

        var peer = OpenPeer();
        var removing = Task.Run(() => RemoveAsync(RetentionTimes.Of(TimeSpan.FromDays(1))), Ct);
        var reading = Task.Run(
            async () =>
            {
                for (var i = 0; i < 300; i++)
                {
                    if (await peer.History.FindAsync("d", $"i{i}", 0, Ct) is { } view) Assert.Single(view.Steps);
                }
            },
            Ct);
        var continuing = Task.Run(
            async () =>
            {
                for (var i = 299; i >= 0; i -= 10)
                {
                    var outcome = (await peer.Runs.StartAsync([new StartRequest(definition, $"i{i}") { Mode = StartMode.NextRun }], Ct))[0];
                    Assert.Equal(StartVerdict.Started, outcome.Verdict);
                }
            },
            Ct);
        await Task.WhenAll(removing, reading, continuing);

        // Runs 0 may have become old ones of an instance between the look and the delete; then the next walk has them.
        await RemoveAsync(RetentionTimes.Of(TimeSpan.FromDays(1)));
        Assert.Equal(30, (await LeftAsync()).Count);
        Assert.Equal(["30"], await Engine.QueryAsync("SELECT count(*) FROM run"));
        Assert.Equal(["30"], await Engine.QueryAsync("SELECT count(*) FROM step"));
    }

    private async Task<int> RemoveAsync(RetentionTimes keep)
    {
        var removed = 0;
        RetentionRound round;
        do
        {
            round = await Store.Retention.RemoveEndedAsync(keep, Ct);
            removed += round.Removed;
        }
        while (!round.Finished);
        return removed;
    }

    private async Task StartAgainAsync(WorkflowDefinition definition, string id) =>
        Assert.Equal(StartVerdict.Started, (await Store.Runs.StartAsync([new StartRequest(definition, id) { Mode = StartMode.NextRun }], Ct))[0].Verdict);

    private async Task<RunRef> StartAsync(WorkflowDefinition definition, string id, bool streams) =>
        (await Store.Runs.StartAsync([new StartRequest(definition, id) { Streams = streams }], Ct))[0].Run!;

    private async Task<IReadOnlyList<string>> LeftAsync() =>
        [.. (await Store.History.ListAsync(null, Ct)).Select(r => r.Ref.InstanceId).Order(StringComparer.Ordinal)];

    private async Task<IEnumerable<int>> NumbersAsync() =>
        (await Engine.QueryAsync("SELECT number FROM run ORDER BY number")).Select(n => int.Parse(n, System.Globalization.CultureInfo.InvariantCulture));
}
