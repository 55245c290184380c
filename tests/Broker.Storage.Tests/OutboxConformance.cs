using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Tests.Model;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>The outbox: rows are written with the change that they describe, and one broker at a time takes them.</summary>
public abstract class OutboxConformance : StoreTests
{
    private const NoticeKinds Every =
        NoticeKinds.RunSucceeded | NoticeKinds.RunFailed | NoticeKinds.RunCancelled | NoticeKinds.RunWaits | NoticeKinds.StepPoisoned;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private protected OutboxConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task Ended_runs_leave_notices_in_order_with_their_errors()
    {
        Store.Wishes.All = [new(Every, null)];
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        foreach (var id in (string[])["good", "bad", "over"]) await StartAsync(definition, id);
        await SucceedAsync((await ClaimAsync())!);
        await FailAsync((await ClaimAsync())!, retryable: false);
        await Store.Runs.ControlAsync("d", "over", ControlCommand.Cancel, Ct);
        Assert.Equal(["good RunSucceeded  ", "bad RunFailed Error no", "over RunCancelled  "], (await TakeAsync()).Select(Line));

        static string Line(RunNotice notice) => $"{notice.InstanceId} {notice.Kind} {notice.ErrorName} {notice.ErrorMessage}";
    }

    [Fact]
    public async Task Waits_for_people_and_poison_steps_leave_notices_with_their_step()
    {
        Store.Wishes.All = [new(NoticeKinds.RunWaits | NoticeKinds.StepPoisoned, null)];
        var asks = await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "asks", "version": "1", "events": {"approval": {"types": ["HumanResponseEvent"]}},
             "steps": {"ask": {"kind": "waitForEvent", "event": "approval", "timeout_ms": 3600000}, "gate": {"kind": "waitForEvent", "event": "go", "timeout_ms": 3600000}}}
            """));
        await StartAsync(asks, "i");
        var (worker, _) = await Store.Workers.RegisterAsync([ADefinition.Of("""{"workflow_id": "p", "version": "1", "max_lease_losses": 0, "steps": {"a": {}}}""")], Ct);
        await StartAsync((await Store.Definitions.LatestAsync("p", Ct))!, "i");
        Assert.Single(await Store.Steps.ClaimAsync(new ClaimRequest(worker!, ClaimScope.ByRegistration, [], 1), Ct));
        await Engine.PassAsync(TimeSpan.FromMinutes(5));
        await Store.Runs.ExpireLeasesAsync(100, Ct);
        Assert.Equal(["RunWaits asks ask approval ", "StepPoisoned p a  LeaseExpired"], (await TakeAsync()).Select(n => $"{n.Kind} {n.Workflow} {n.Step} {n.Event} {n.ErrorName}"));
    }

    [Fact]
    public async Task A_run_that_ends_with_its_start_leaves_a_notice()
    {
        Store.Wishes.All = [new(Every, null)];
        await StartAsync(await RegisterAsync(ADefinition.Of("""{"workflow_id": "empty", "version": "1", "steps": {}}""")), "i");
        Assert.Equal([NoticeKinds.RunSucceeded], (await TakeAsync()).Select(notice => notice.Kind));
    }

    [Fact]
    public async Task Only_wished_kinds_and_workflows_are_written()
    {
        Store.Wishes.All = [new(NoticeKinds.RunFailed, null), new(NoticeKinds.RunSucceeded, new HashSet<string> { "other" })];
        foreach (var name in (string[])["d", "other"])
        {
            await StartAsync(await RegisterAsync(ADefinition.Jobs(name, "a")), "i");
            await SucceedAsync((await ClaimAsync())!);
        }

        Assert.Equal(["other"], (await TakeAsync()).Select(notice => notice.Workflow));
    }

    [Fact]
    public async Task A_row_is_leased_by_one_broker_at_a_time_until_it_is_removed()
    {
        Store.Wishes.All = [new(Every, null)];
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        for (var i = 0; i < 40; i++)
        {
            await StartAsync(definition, $"i{i}");
            await SucceedAsync((await ClaimAsync())!);
        }

        var peer = OpenPeer();
        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => (i % 2 == 0 ? Store : peer).Outbox.TakeAsync(10, Lease, Ct))));
        var ids = taken.SelectMany(some => some).Select(entry => entry.Id).ToList();
        Assert.Distinct(ids);
        while (await Store.Outbox.TakeAsync(10, Lease, Ct) is { Count: > 0 } more) ids.AddRange(more.Select(entry => entry.Id));
        Assert.Equal((40, 40), (ids.Count, ids.Distinct().Count()));

        // The broker that took these was killed before it removed them: another one takes them under the same ids.
        await Store.Outbox.RemoveAsync([.. ids.Skip(10)], Ct);
        await Engine.ExecuteAsync("UPDATE outbox SET lease_until = 0");
        Assert.Equal(ids.Take(10).Order(), (await peer.Outbox.TakeAsync(100, Lease, Ct)).Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_commit_signals_the_outbox()
    {
        Store.Wishes.All = [new(Every, null)];
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        using var subscription = Store.Changes.Subscribe(Topics.Outbox);
        await SucceedAsync((await ClaimAsync())!);
        await SignalledAsync(subscription);
        Assert.Single(await TakeAsync());
    }

    [Fact]
    public async Task Runs_write_the_same_with_and_without_wishes_of_others()
    {
        var seen = new List<string>();
        var store = OpenWith(Engine.Clock, new InjectedFault("observed") { Transaction = (transaction, _) => new Observed(transaction, seen) });
        var definition = (await store.Definitions.RegisterAsync([ADefinition.Jobs("d", "a", "b<-a")], makeLatest: false, Ct)).Registered[0];
        var none = await RunAsync("one");
        store.Wishes.All = [new(NoticeKinds.RunFailed, null), new(Every, new HashSet<string> { "other" })];
        Assert.Equal(none, await RunAsync("two"));
        Assert.DoesNotContain(none, write => write.Contains("outbox", StringComparison.Ordinal));
        store.Wishes.All = [new(NoticeKinds.RunSucceeded, null)];
        Assert.Equal([.. none[..^1], $"{none[^1]} outbox 1"], await RunAsync("three"));

        async Task<List<string>> RunAsync(string id)
        {
            seen.Clear();
            await store.Runs.StartAsync([new StartRequest(definition, id)], Ct);
            for (var step = 0; step < 2; step++)
            {
                var claimed = Assert.Single(await store.Steps.ClaimAsync(new ClaimRequest("w1", ClaimScope.ByLabels, [], 1), Ct));
                await store.Steps.ReportAsync([new LeaseReport(claimed.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "1" })], Ct);
            }

            return [.. seen];
        }
    }

    private async Task<IReadOnlyList<RunNotice>> TakeAsync()
    {
        var taken = await Store.Outbox.TakeAsync(100, Lease, Ct);
        await Store.Outbox.RemoveAsync([.. taken.Select(entry => entry.Id)], Ct);
        Assert.Empty(await Store.Outbox.TakeAsync(100, Lease, Ct));
        var notices = taken.Select(RunNotice.Read).ToList();
        Assert.Distinct(notices.Select(notice => notice.Id));
        return notices;
    }

    /// <summary>Notes how many rows each write has, by table: they decide which statements are sent.</summary>
    private sealed class Observed(IBatchTransaction inner, List<string> seen) : FaultyTransaction(inner)
    {
        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(ChangeSet changes, IReadOnlyList<ClaimGroup> claims)
        {
            var noted = changes.Outbox is { } outbox ? $" outbox {outbox.Count}" : "";
            seen.Add($"runs {changes.NewRuns.Count}/{changes.Runs.Count} steps {changes.NewSteps.Count}/{changes.Steps.Count} events {changes.Events.Count} claims {claims.Count}{noted}");
            return base.Write(changes, claims);
        }
    }
}

public sealed class PostgresOutboxTests(PostgresCluster cluster) : OutboxConformance(new OnPostgres(cluster));

public sealed class SqliteOutboxTests() : OutboxConformance(new OnSqlite());
