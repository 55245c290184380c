using System.Globalization;
using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Actions on many runs as the store keeps them: leases, places, outcomes.</summary>
public abstract class BulkConformance : StoreTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    private protected BulkConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task An_action_is_under_one_lease_and_a_lost_one_writes_nothing()
    {
        var bulk = await Store.Bulk.AddAsync(Bulk(), Items(3), Ct);
        Assert.Null(await Store.Bulk.LeaseAsync("a", Lease, Ct));
        Assert.True(await Store.Bulk.StartAsync(bulk.Id, "because", Ct));
        Assert.False(await Store.Bulk.StartAsync(bulk.Id, null, Ct));

        var held = (await Store.Bulk.LeaseAsync("a", Lease, Ct))!;
        Assert.Equal((bulk.Id, BulkPhase.Running, "because", 3), (held.Id, held.Phase, held.Reason, held.Total));
        Assert.Null(await Store.Bulk.LeaseAsync("b", Lease, Ct));
        Assert.Equal([1, 2, 3], (await Store.Bulk.PendingAsync(bulk.Id, 0, 10, Ct)).Select(item => item.Seq));
        Assert.Equal(1, (await Store.Bulk.RecordAsync(held, "a", Lease, [new(1, BulkOutcome.Done)], Ct))!.Done);

        await Engine.PassAsync(Lease + TimeSpan.FromSeconds(1));
        var taken = (await OpenPeer().Bulk.LeaseAsync("b", Lease, Ct))!;
        Assert.Null(await Store.Bulk.RecordAsync(held, "a", Lease, [new(2, BulkOutcome.Done)], Ct));
        Assert.Equal([2, 3], (await Store.Bulk.PendingAsync(bulk.Id, 0, 10, Ct)).Select(item => item.Seq));
        var after = (await Store.Bulk.RecordAsync(taken, "b", Lease, [new(2, BulkOutcome.Skipped, "no_match", "gone"), new(3, BulkOutcome.Failed, "fault", "x")], Ct))!;
        Assert.Equal((1, 1, 1, BulkPhase.Running), (after.Done, after.Skipped, after.Failed, after.Phase));
        Assert.Equal(BulkPhase.Done, (await Store.Bulk.RecordAsync(after, "b", Lease, [], Ct))!.Phase);
        Assert.Null(await Store.Bulk.LeaseAsync("b", Lease, Ct));
        Assert.False(await Store.Bulk.StopAsync(bulk.Id, null, Ct));

        var results = (await Store.Bulk.ResultsAsync(bulk.Id, null, 0, 10, Ct)).Rows;
        Assert.Equal(["1 Done  ", "2 Skipped no_match gone", "3 Failed fault x"], results.Select(r => $"{r.Item.Seq} {r.Outcome} {r.Code} {r.Message}"));
        Assert.Equal([2], (await Store.Bulk.ResultsAsync(bulk.Id, [BulkOutcome.Skipped], 0, 10, Ct)).Rows.Select(r => r.Item.Seq));
    }

    [Theory]
    [InlineData("retry")]
    [InlineData("restart")]
    [InlineData("delete")]
    public async Task A_command_writes_with_its_change_that_an_item_is_done_and_what_a_killed_broker_did_is_counted(string action)
    {
        var definition = await RegisterAsync(ADefinition.Jobs("w", "a"));
        for (var i = 1; i <= 3; i++)
        {
            await StartAsync(definition, $"i{i}");
            await Store.Runs.ControlAsync("w", $"i{i}", ControlCommand.Cancel, Ct);
        }

        var bulk = await Store.Bulk.AddAsync(Bulk() with { Phase = BulkPhase.Running, Action = action }, Items(4), Ct);
        var held = (await Store.Bulk.LeaseAsync("a", Lease, Ct))!;
        await Task.WhenAll(Enumerable.Range(1, 4).Select(i => DoAsync(action, $"i{i}", new(bulk.Id, i))));
        Assert.Equal([4], (await Store.Bulk.PendingAsync(bulk.Id, 0, 10, Ct)).Select(item => item.Seq));

        // The broker is killed before it has counted: neither is a run acted on again, nor is its outcome another one.
        await Engine.PassAsync(Lease + TimeSpan.FromSeconds(1));
        var taken = (await OpenPeer().Bulk.LeaseAsync("b", Lease, Ct))!;
        Assert.Equal((0, 3), (held.Done, taken.Done));
        var after = (await Store.Bulk.RecordAsync(taken, "b", Lease, [new(4, BulkOutcome.Skipped, "not_newest", "gone")], Ct))!;
        Assert.Equal(BulkPhase.Done, (await Store.Bulk.RecordAsync(after, "b", Lease, [], Ct))!.Phase);
        Assert.Equal(["Done", "Done", "Done", "Skipped"], (await Store.Bulk.ResultsAsync(bulk.Id, null, 0, 10, Ct)).Rows.Select(r => $"{r.Outcome}"));
    }

    [Fact]
    public async Task Acts_of_an_interrupted_slice_are_counted_when_the_action_is_leased_or_stopped()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("w", "a"));
        for (var i = 1; i <= 3; i++) await StartAsync(definition, $"i{i}");
        var bulk = await Store.Bulk.AddAsync(Bulk() with { Phase = BulkPhase.Running }, Items(3), Ct);
        for (var i = 1; i <= 2; i++)
        {
            await Store.Bulk.LeaseAsync("a", Lease, Ct);
            await DoAsync("cancel", $"i{i}", new(bulk.Id, i));
            await Store.Bulk.ReleaseAsync(bulk.Id, "a", isCounted: false, Ct);
            if (i == 1) Assert.Equal(1, (await Store.Bulk.LeaseAsync("b", Lease, Ct))!.Done);
            if (i == 1) await Store.Bulk.ReleaseAsync(bulk.Id, "b", isCounted: true, Ct);
        }

        Assert.True(await Store.Bulk.StopAsync(bulk.Id, "enough", Ct));
        Assert.Equal(2, (await Store.Bulk.FindAsync(bulk.Id, Ct))!.Done);
    }

    [Fact]
    public async Task An_item_that_its_command_has_done_keeps_that_outcome_whatever_the_broker_records()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("w", "a")), "i1");
        var bulk = await Store.Bulk.AddAsync(Bulk() with { Phase = BulkPhase.Running }, Items(2), Ct);
        var held = (await Store.Bulk.LeaseAsync("a", Lease, Ct))!;
        await DoAsync("cancel", "i1", new(bulk.Id, 1));
        var after = (await Store.Bulk.RecordAsync(held, "a", Lease, [new(1, BulkOutcome.Failed, "fault", "no answer"), new(2, BulkOutcome.Failed, "fault", "no answer")], Ct))!;
        Assert.Equal((1, 1), (after.Done, after.Failed));
        Assert.Equal(["Done ", "Failed fault"], (await Store.Bulk.ResultsAsync(bulk.Id, null, 0, 10, Ct)).Rows.Select(r => $"{r.Outcome} {r.Code}"));
    }

    private async Task DoAsync(string action, string instance, BulkItemKey item)
    {
        if (action == "retry") await Store.Runs.RerunAsync(new("w", instance) { Number = 0 }, Ct, item);
        else await Store.Runs.ControlAsync("w", instance, action == "restart" ? ControlCommand.Restart : action == "delete" ? ControlCommand.Purge : ControlCommand.Cancel, Ct, item: item);
    }

    [Fact]
    public async Task Runs_are_listed_page_by_page_from_the_stored_place()
    {
        var bulk = await Store.Bulk.AddAsync(Bulk() with { Where = "status=failed", Phase = BulkPhase.Collecting }, [], Ct);
        var held = (await Store.Bulk.LeaseAsync("a", Lease, Ct))!;
        var place = new RunListPlace(IsById: true, Engine.Clock.GetUtcNow(), 7);
        held = (await Store.Bulk.CollectAsync(held, "a", Lease, Items(2), place, Ct))!;
        await Store.Bulk.ReleaseAsync(bulk.Id, "a", isCounted: true, Ct);
        Assert.Null(await Store.Bulk.CollectAsync(held, "a", Lease, Items(2), null, Ct));

        var again = (await OpenPeer().Bulk.LeaseAsync("b", Lease, Ct))!;
        Assert.Equal((BulkPhase.Collecting, 2, 7L, true), (again.Phase, again.Total, again.Place!.Value.Id, again.Place.Value.IsById));
        again = (await Store.Bulk.CollectAsync(again, "b", Lease, [new(3, 3, "w", "i3", 0)], null, Ct))!;
        Assert.Equal((BulkPhase.Running, 3), (again.Phase, again.Total));

        // Outcomes of before the stop are written; the action goes no further.
        Assert.True(await Store.Bulk.StopAsync(bulk.Id, "enough", Ct));
        var stopped = (await Store.Bulk.RecordAsync(again, "b", Lease, [new(1, BulkOutcome.Done)], Ct))!;
        Assert.Equal((BulkPhase.Stopped, 1, "enough"), (stopped.Phase, stopped.Done, stopped.StoppedBecause));
        await Store.Bulk.ReleaseAsync(bulk.Id, "b", isCounted: true, Ct);
        Assert.Null(await Store.Bulk.LeaseAsync("b", Lease, Ct));
    }

    [Fact]
    public async Task Lists_show_a_limited_caller_its_own_and_old_actions_are_removed()
    {
        await Store.Bulk.AddAsync(Bulk(), Items(3), Ct);
        await Store.Bulk.AddAsync(Bulk() with { Workflows = ["a"] }, [], Ct);
        var both = await Store.Bulk.AddAsync(Bulk() with { Workflows = ["a", "b"] }, [], Ct);
        Assert.Equal([both.Id], (await Store.Bulk.ListAsync(null, null, 1, Ct)).Rows.Select(b => b.Id));
        Assert.Equal(2, (await Store.Bulk.ListAsync(both.Id, null, 10, Ct)).Rows.Count);
        Assert.Equal(["a"], Assert.Single((await Store.Bulk.ListAsync(null, ["a"], 10, Ct)).Rows).Workflows!);
        Assert.Equal(2, (await Store.Bulk.ListAsync(null, ["a", "b"], 1, Ct) is { HasMore: true } first ? 1 + (await Store.Bulk.ListAsync(first.Rows[0].Id, ["a", "b"], 1, Ct)).Rows.Count : 0));

        var now = await Store.Bulk.NowAsync(Ct);
        Assert.Equal(0, await Store.Bulk.PruneAsync(now.AddHours(-1), now.AddHours(-1), 2, Ct));
        for (var i = 0; i < 10 && await Store.Bulk.PruneAsync(now.AddHours(1), now.AddHours(1), 2, Ct) > 0; i++)
        {
        }

        Assert.Empty((await Store.Bulk.ListAsync(null, null, 10, Ct)).Rows);
        Assert.Equal(["0"], await Engine.QueryAsync("SELECT count(*) FROM bulk_item"));
    }

    [Fact]
    public async Task Chosen_runs_have_their_names_and_status_and_are_judged_again()
    {
        var one = await RegisterAsync(ADefinition.Graph("one", "a"));
        for (var i = 0; i < 5; i++) await StartAsync(one, $"i{i}");
        await Store.Runs.ControlAsync("one", "i1", ControlCommand.Cancel, Ct);
        await Store.Runs.ControlAsync("one", "i2", ControlCommand.Restart, Ct);
        var first = await Store.Search.ChooseAsync(RunFilter.All, null, 4, Ct);
        var rest = await Store.Search.ChooseAsync(RunFilter.All, first.Next, 4, Ct);
        Assert.Null(rest.Next);
        Assert.Equal(
            ["i0/0 Queued True", "i1/0 Cancelled True", "i2/0 Cancelled False", "i2/1 Queued True", "i3/0 Queued True", "i4/0 Queued True"],
            first.Rows.Concat(rest.Rows).Select(r => $"{r.Ref.InstanceId}/{r.Ref.Number} {r.Status} {r.IsNewest}").Order(StringComparer.Ordinal));
        long[] ids = [.. first.Rows.Concat(rest.Rows).Select(r => r.Ref.Id)];
        var cancelled = await Store.Search.FitAsync(new() { Statuses = new HashSet<RunStatus> { RunStatus.Cancelled } }, ids, Ct);
        Assert.Equal(["i1", "i2"], cancelled.Select(r => r.Ref.InstanceId).Order(StringComparer.Ordinal));
        Assert.Equal(5, (await Store.Search.FitAsync(new() { Steps = ["a"], Statuses = null, NotInstances = [new("i1", IsPrefix: false)] }, [.. ids, 1_000_000], Ct)).Count + 1);

        await Store.Search.TagAsync(ids, (id, before) => before is null && id != ids[0] ? """{"k":"v"}""" : before, Ct);
        Assert.Equal(5, (await Store.Search.ChooseAsync(new() { Tags = [new("k", ["v"], IsNot: false)] }, null, 10, Ct)).Rows.Count);
    }

    [Fact]
    public async Task Orders_of_operators_hold_until_they_are_taken_back()
    {
        await Store.Holds.PutAsync(HoldKind.Worker, "w1", "k", "old disk", Ct);
        await Store.Holds.PutAsync(HoldKind.Worker, "w1", "k2", null, Ct);
        await Store.Holds.PutAsync(HoldKind.Starts, "w1", "k", null, Ct);
        Assert.Equal(["Worker w1 k2 ", "Starts w1 k "], (await Store.Holds.ListAsync(Ct)).Select(h => $"{h.Kind} {h.Name} {h.KeyId} {h.Reason}"));
        Assert.True(await Store.Holds.RemoveAsync(HoldKind.Worker, "w1", Ct));
        Assert.False(await Store.Holds.RemoveAsync(HoldKind.Worker, "w1", Ct));
        Assert.Single(await Store.Holds.ListAsync(Ct));
    }

    private BulkRecord Bulk() => new() { Phase = BulkPhase.Planned, Action = "cancel", KeyId = "k", Confirm = "c", AsOf = Engine.Clock.GetUtcNow() };

    private static List<BulkItem> Items(int count) => [.. Enumerable.Range(1, count).Select(i => new BulkItem(i, i, "w", string.Create(CultureInfo.InvariantCulture, $"i{i}"), 0))];
}
