using System.Collections.Concurrent;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Matching;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Claims by label that are limited to workflows, in queues that hold steps of others too.</summary>
public abstract class LimitedClaimConformance : StoreTests
{
    private protected LimitedClaimConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static ClaimRequest Claim(params string[] workflows) => new("w", ClaimScope.ByLabels, []) { Workflows = workflows };

    private async Task<IReadOnlyList<Assignment>> TakeAsync(ClaimRequest claim) => await Store.Steps.ClaimAsync(claim, Ct);

    private async Task<WorkflowDefinition> JobsAsync(string name, int steps) =>
        await RegisterAsync(ADefinition.Jobs(name, [.. Enumerable.Range(0, steps).Select(i => $"s{i:00000}")]));

    private async Task StartEachAsync(params string[] workflows)
    {
        foreach (var workflow in workflows) await StartAsync(await JobsAsync(workflow, 2), "i");
    }

    private static IEnumerable<string> Names(IEnumerable<Assignment> steps) => steps.Select(s => $"{s.Run.Workflow}/{s.Step.Name}");

    [Fact]
    public async Task A_limited_key_gets_steps_of_its_workflows_alone_in_order()
    {
        await StartEachAsync("a", "b", "c");
        Assert.Equal(["b/s00000", "b/s00001"], Names(await TakeAsync(Claim("b") with { Count = 5 })));
        Assert.Equal(["a/s00000", "a/s00001", "c/s00000"], Names(await TakeAsync(Claim("a", "c") with { Count = 3 })));
        Assert.Empty(await TakeAsync(Claim("b")));
        Assert.Empty(await TakeAsync(Claim("absent")));
        Assert.Empty(await TakeAsync(Claim()));
        Assert.Equal("c/s00001", Assert.Single(Names(await TakeAsync(new("w", ClaimScope.ByLabels, [])))));
    }

    [Fact]
    public async Task Labels_and_priorities_hold_for_a_limited_claim_too()
    {
        static string Step(string name, string labels, int priority) =>
            $$"""  "{{name}}": {"depends_on": [], "command": "true", "required_labels": [{{labels}}], "priority": {{priority}}}""";
        static string Document(string name) => $$"""
            {"workflow_id": "{{name}}", "jobs": {"name": "{{name}}", "trigger": "t"}, "steps": {
            {{Step("plain", "", 0)}}, {{Step("gpu", "\"gpu\"", 0)}}, {{Step("urgent", "", 5)}}, {{Step("urgent_gpu", "\"gpu\"", 5)}} } }
            """;
        await StartAsync(await RegisterAsync(ADefinition.Of(Document("other"))), "i");
        await StartAsync(await RegisterAsync(ADefinition.Of(Document("mine"))), "i");
        Assert.Equal(["mine/urgent", "mine/plain"], Names(await TakeAsync(Claim("mine") with { Count = 5 })));
        Assert.Equal(["mine/urgent_gpu", "mine/gpu"], Names(await TakeAsync(Claim("mine") with { Count = 5, Labels = ["gpu", "linux"] })));
    }

    [Fact]
    public async Task A_limited_claim_finds_its_step_behind_five_thousand_of_others_and_does_not_read_them_again()
    {
        await StartAsync(await JobsAsync("other", 5000), "i");
        await StartEachAsync("mine");
        Assert.Equal("mine/s00000", Assert.Single(Names(await TakeAsync(Claim("mine")))));
        Assert.Equal("mine/s00001", Assert.Single(Names(await TakeAsync(Claim("mine")))));

        // The clock stands still, or next to it: no walk from the front is due.
        var walk = Store.Cursors.Begin(await QueueAsync(), ClaimScopes.LimitOf(["mine"]));
        Assert.NotEqual(default, walk.From);
        Store.Cursors.End(walk, walk.From, 0, isCut: false);
        Assert.Equal("other/s00000", Assert.Single(Names(await TakeAsync(new("w", ClaimScope.ByLabels, [])))));
    }

    private async Task<int> QueueAsync() =>
        int.Parse(Assert.Single(await Engine.QueryAsync("SELECT DISTINCT queue_id FROM step")), System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_step_that_becomes_ready_in_front_of_where_it_has_looked_is_found()
    {
        var other = await JobsAsync("other", 300);
        await StartEachAsync("mine");
        await StartAsync(other, "i");
        var held = await TakeAsync(Claim("mine") with { Count = 2 });
        Assert.Empty(await TakeAsync(Claim("mine")));
        await Engine.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Empty(await TakeAsync(Claim("mine")));

        // Handed back they have their old place, before all others.
        foreach (var step in held)
            Assert.Equal([ReportVerdict.Accepted], await Store.Steps.ReportAsync([new LeaseReport(step.Lease, StepReport.Returned)], Ct));
        Assert.Equal(["mine/s00000", "mine/s00001"], Names(await TakeAsync(Claim("mine") with { Count = 5 })));
    }

    [Fact]
    public async Task A_step_that_was_handed_back_through_another_broker_is_found()
    {
        await StartEachAsync("mine", "other");
        var held = await TakeAsync(Claim("mine") with { Count = 2 });
        Assert.Empty(await TakeAsync(Claim("mine")));
        var peer = OpenPeer();
        await peer.Steps.ReportAsync([.. held.Select(s => new LeaseReport(s.Lease, StepReport.Returned))], Ct);

        // No signal passes between these two: the walk from the front finds it.
        await Eventually.TrueAsync(async () =>
        {
            (Engine.Clock as TestClock)?.Advance(TimeSpan.FromMilliseconds(10));
            return (await TakeAsync(Claim("mine"))).Count == 1;
        });
    }

    [Fact]
    public async Task A_step_that_its_report_makes_ready_is_claimed_with_it()
    {
        var mine = await RegisterAsync(ADefinition.Jobs("mine", "a", "b<-a"));
        await StartEachAsync("other");
        await StartAsync(mine, "i");
        var first = Assert.Single(await TakeAsync(Claim("mine")));
        var report = new LeaseReport(first.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "{}" });
        var outcome = await Store.Steps.ReportAsync([report], Claim("mine") with { Count = 4 }, Ct);
        Assert.Equal([ReportVerdict.Accepted], outcome.Verdicts);
        Assert.Equal(["mine/b"], Names(outcome.Claimed));
    }

    [Fact]
    public async Task An_id_that_an_unlimited_claim_has_used_gives_it_no_lease_of_that_one()
    {
        await StartEachAsync("other", "mine");
        var unlimited = new ClaimRequest("w", ClaimScope.ByLabels, []) { ClaimId = "once" };
        var first = Assert.Single(await TakeAsync(unlimited));
        var limited = Claim("mine") with { ClaimId = "once" };
        var own = Assert.Single(await TakeAsync(limited));
        Assert.Equal("mine", own.Run.Workflow);
        Assert.Equal(own.Lease, Assert.Single(await TakeAsync(limited)).Lease);
        Assert.Equal(first.Lease, Assert.Single(await TakeAsync(unlimited)).Lease);
        Assert.Empty(await TakeAsync(Claim("absent") with { ClaimId = "once" }));
    }

    private async Task<WaitingClaim> EnterInVainAsync(ClaimRequest claim)
    {
        var turn = await Store.EnterAsync(claim, Ct);
        Assert.True(turn.BeginsLook());
        turn.FoundNothing();
        return turn;
    }

    private static Task<bool> WokenAsync(WaitingClaim turn) => turn.WaitAsync(TimeSpan.FromSeconds(30), Ct);

    [Fact]
    public async Task A_waiting_claim_is_woken_beside_the_unlimited_one_and_is_offered_nothing()
    {
        var (mine, other) = (await JobsAsync("mine", 1), await JobsAsync("other", 1));
        using var limited = await EnterInVainAsync(Claim("mine"));
        using var another = await EnterInVainAsync(Claim("absent"));
        using var unlimited = await EnterInVainAsync(new("u", ClaimScope.ByLabels, []));
        Task<bool>[] waiting = [WokenAsync(limited), WokenAsync(another), WokenAsync(unlimited)];

        // The unlimited one is handed it in the transaction that makes it ready, although limited ones came first: so those get no signal.
        await StartAsync(other, "i");
        Assert.True(await waiting[2]);
        Assert.Equal("other", Assert.Single(await unlimited.TakeOffer()!).Run.Workflow);
        unlimited.Served();
        Assert.True(await Store.IsQuietAsync(Claim("mine"), Ct));

        // With no other claim parked all limited ones look, and none is offered it.
        await StartAsync(mine, "i");
        Assert.All(await Task.WhenAll(waiting[0], waiting[1]), Assert.True);
        Assert.Null(limited.TakeOffer());
        Assert.True(limited.BeginsLook());
        Assert.Null(another.TakeOffer());
        Assert.Empty(await Store.Steps.ClaimAsync(Claim("absent"), Ct));
        Assert.Equal("mine", Assert.Single(await Store.Steps.ClaimAsync(Claim("mine"), Ct)).Run.Workflow);
    }

    [Fact]
    public async Task A_step_that_it_cannot_take_wakes_an_unlimited_claim_that_came_later()
    {
        var other = await JobsAsync("other", 1);
        using var limited = await EnterInVainAsync(Claim("mine"));
        using var unlimited = await EnterInVainAsync(new("u", ClaimScope.ByLabels, []) { ClaimId = "looks for itself" });
        Task<bool>[] waiting = [WokenAsync(limited), WokenAsync(unlimited)];
        await StartAsync(other, "i");
        Assert.All(await Task.WhenAll(waiting), Assert.True);
        Assert.Null(limited.TakeOffer());
        Assert.Null(unlimited.TakeOffer());
        Assert.Empty(await Store.Steps.ClaimAsync(Claim("mine"), Ct));
        Assert.Single(await Store.Steps.ClaimAsync(new("u", ClaimScope.ByLabels, []) { ClaimId = "looks for itself" }, Ct));
    }

    [Fact]
    public async Task A_limited_claim_in_the_transaction_does_not_keep_a_step_from_a_waiting_one()
    {
        await StartEachAsync("mine");
        var step = (await TakeAsync(Claim("mine")))[0];
        await TakeAsync(Claim("mine"));
        var chain = await RegisterAsync(ADefinition.Jobs("chain", "a", "b<-a"));
        await StartAsync(chain, "i");
        var head = Assert.Single(await TakeAsync(Claim("chain")));
        using var unlimited = await EnterInVainAsync(new("u", ClaimScope.ByLabels, []));
        var waiting = WokenAsync(unlimited);
        LeaseReport Success(Assignment done) => new(done.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = "{}" });
        Assert.Empty((await Store.Steps.ReportAsync([Success(step), Success(head)], Claim("mine"), Ct)).Claimed);
        Assert.True(await waiting);
        Assert.Equal("b", Assert.Single(await unlimited.TakeOffer()!).Step.Name);
    }

    [Fact]
    public async Task Limited_and_unlimited_claims_in_parallel_lose_no_step_and_hand_none_out_twice_or_to_a_wrong_limit()
    {
        const int Runs = 8, Steps = 10;
        string[] workflows = ["a", "b", "c"];
        var definitions = new List<WorkflowDefinition>();
        foreach (var workflow in workflows) definitions.Add(await JobsAsync(workflow, Steps));
        var all = workflows.Length * Runs * Steps;
        var (taken, wrong, returned) = (new ConcurrentBag<LeaseId>(), new ConcurrentBag<string>(), new ConcurrentDictionary<(long, int), byte>());
        var peer = OpenPeer();
        string[]?[] limits = [["a"], ["b"], ["a", "b"], ["c"], null, null];
        var working = limits.Select((limit, i) => Task.Run(async () =>
        {
            var store = i % 2 == 0 ? Store : peer;
            var random = new Random(i);
            while (taken.Count < all)
            {
                var claim = new ClaimRequest($"w{i}", ClaimScope.ByLabels, [], 1 + random.Next(3)) { Workflows = limit, ClaimId = random.Next(3) == 0 ? $"{random.Next()}" : null };
                var steps = await store.Steps.ClaimAsync(claim, Ct);
                foreach (var step in steps)
                {
                    if (limit?.Contains(step.Run.Workflow) is false) wrong.Add($"{step.Run.Workflow} for {string.Join(",", limit)}");
                    var first = returned.TryAdd((step.Run.Id, step.Step.Index), 0) && random.Next(4) == 0;
                    var report = first ? StepReport.Returned : new StepReport(ReportOutcome.Succeeded) { ResultJson = "{}" };
                    var verdict = (await store.Steps.ReportAsync([new LeaseReport(step.Lease, report)], Ct))[0];
                    if (verdict is not ReportVerdict.Accepted) wrong.Add($"{step.Run.Workflow}/{step.Step.Name}: {verdict}");
                    if (!first) taken.Add(step.Lease);
                }

                (Engine.Clock as TestClock)?.Advance(TimeSpan.FromMilliseconds(1));
                if (steps.Count == 0) await Task.Yield();
            }
        }, Ct)).ToList();
        for (var i = 0; i < Runs; i++)
        {
            foreach (var definition in definitions) await StartAsync(definition, $"i{i}");
        }

        await Task.WhenAll(working).WaitAsync(TimeSpan.FromSeconds(120), Ct);
        Assert.Empty(wrong);
        Assert.Equal(all, taken.Count);
        Assert.Equal(all, taken.Distinct().Count());
    }

    [Fact]
    public async Task A_worker_that_is_limited_counts_for_the_steps_of_its_workflows_alone()
    {
        await StartEachAsync("mine", "other");
        async Task<bool> IsServedAsync(string workflow)
        {
            var view = (await Store.History.FindAsync(workflow, "i", null, Ct))!;
            return (await Store.Queues.OfStepAsync(view, view.Definition.Steps[0], Ct)).WorkerSeenAt is not null;
        }

        Assert.True(await Store.Workers.RegisterAsync("w", [], Ct, new(["mine"], TimeSpan.FromMinutes(1))));
        Assert.True(await IsServedAsync("mine"));
        Assert.False(await IsServedAsync("other"));
        Assert.Equal(["mine"], Assert.Single(await Store.Workers.ListAsync(WorkerKind.Labelled, null, null, 10, Ct)).Workflows);
        Assert.Equal(["mine"], await Store.Workers.LimitOfAsync("w", Ct));

        Assert.True(await Store.Workers.RegisterAsync("w", [], Ct));
        Assert.True(await IsServedAsync("other"));
        Assert.Null(await Store.Workers.LimitOfAsync("w", Ct));
    }

    [Fact]
    public async Task A_limited_registration_replaces_entries_within_its_limit_and_those_of_workers_that_have_gone()
    {
        var (mine, both) = (new WorkerLimit(["mine"], TimeSpan.FromMinutes(1)), new WorkerLimit(["mine", "other"], TimeSpan.FromMinutes(1)));
        Assert.True(await Store.Workers.RegisterAsync("w", ["before"], Ct, mine));
        Assert.True(await Store.Workers.RegisterAsync("w", ["wider"], Ct, both));
        Assert.False(await Store.Workers.RegisterAsync("w", ["narrower"], Ct, mine));
        await Store.Workers.RegisterAsync("w", ["unlimited"], Ct);
        Assert.False(await Store.Workers.RegisterAsync("w", ["limited"], Ct, both));
        Assert.Equal(["unlimited"], Assert.Single(await Store.Workers.ListAsync(WorkerKind.Labelled, null, null, 10, Ct)).Labels);

        var registered = (await Store.Workers.RegisterAsync([ADefinition.Graph("mine", "a")], Ct)).Id!;
        await Engine.PassAsync(TimeSpan.FromMinutes(2));
        Assert.True(await Store.Workers.RegisterAsync("w", ["limited"], Ct, mine));
        Assert.False(await Store.Workers.RegisterAsync(registered, [], Ct, mine));
    }
}

public sealed class PostgresLimitedClaimTests(PostgresCluster cluster) : LimitedClaimConformance(new OnPostgres(cluster));

public sealed class SqliteLimitedClaimTests() : LimitedClaimConformance(new OnSqlite());
