using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Tests.Model;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Reports that bring the next claim along.</summary>
public abstract class ReportAndClaimConformance : StoreTests
{
    private protected ReportAndClaimConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static readonly StepReport Success = new(ReportOutcome.Succeeded) { ResultJson = "1" };

    private static ClaimRequest Next(int count = 1, string? id = null) => new("w1", ClaimScope.ByLabels, [], count) { ClaimId = id };

    private Task<BatchOutcome> ReportAsync(Assignment step, ClaimRequest? next) => Store.Steps.ReportAsync([new LeaseReport(step.Lease, Success)], next, Ct);

    [Fact]
    public async Task A_step_that_a_report_makes_ready_is_claimed_with_it()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("w", "a", "b<-a", "c<-a")), "i");
        var outcome = await ReportAsync((await ClaimAsync())!, Next(count: 5));
        Assert.Equal([ReportVerdict.Accepted], outcome.Verdicts);
        Assert.Equal(["b", "c"], outcome.Claimed.Select(c => c.Step.Name));
        Assert.All(outcome.Claimed, c => Assert.Equal("1", Assert.Single(c.Upstream).ResultJson));
    }

    [Fact]
    public async Task A_step_that_a_report_by_name_makes_ready_is_claimed_with_it()
    {
        var definition = ADefinition.Graph("w", "a", "b<-a");
        var worker = (await Store.Workers.RegisterAsync([definition], Ct)).Id!;
        await StartAsync(definition, "i");
        var next = new ClaimRequest(worker, ClaimScope.ByRegistration, [], 1);
        var first = Assert.Single(await Store.Steps.ClaimAsync(next, Ct));
        var outcome = await Store.Steps.ReportAsync([new NamedReport(worker, "w", first.Run.WorkerInstanceId, "a", Success), new(worker, "w", "other", "a", Success)], next, Ct);
        Assert.Equal([ReportVerdict.Accepted, ReportVerdict.UnknownRun], outcome.Verdicts);
        Assert.Equal("b", Assert.Single(outcome.Claimed).Step.Name);
    }

    [Fact]
    public async Task Without_a_claim_nothing_is_handed_out()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("w", "a", "b<-a")), "i");
        Assert.Empty((await ReportAsync((await ClaimAsync())!, null)).Claimed);
        Assert.NotNull(await ClaimAsync());
    }

    [Fact]
    public async Task A_report_that_comes_too_late_does_not_keep_the_claim()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("w", "a", "b<-a")), "i");
        var step = (await ClaimAsync())!;
        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(step));
        var outcome = await ReportAsync(step, Next());
        Assert.Equal([ReportVerdict.Stale], outcome.Verdicts);
        Assert.Equal("b", Assert.Single(outcome.Claimed).Step.Name);
    }

    [Fact]
    public async Task A_report_sent_again_claims_the_same_lease()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("w", "a", "b<-a", "c<-a")), "i");
        var step = (await ClaimAsync())!;
        var first = Assert.Single((await ReportAsync(step, Next(id: "one"))).Claimed);
        var again = await ReportAsync(step, Next(id: "one"));
        Assert.Equal([ReportVerdict.Stale], again.Verdicts);
        Assert.Equal(first.Lease, Assert.Single(again.Claimed).Lease);

        // The leases of that id are being reported, so the same id claims further steps.
        Assert.NotEqual(first.Step.Name, Assert.Single((await ReportAsync(first, Next(id: "one"))).Claimed).Step.Name);
    }

    [Fact]
    public async Task A_report_and_its_claim_share_one_transaction()
    {
        var transactions = new List<(int Reported, int Claimed)>();
        var store = await OpenAsync(new InjectedFault("none: it looks on") { Transaction = (transaction, _) => new Onlooker(transaction, transactions) }, ADefinition.Jobs("w", "a", "b", "c", "d<-a+b+c"));
        var held = await store.Steps.ClaimAsync(Next(3), Ct);
        transactions.Clear();
        var outcome = await store.Steps.ReportAsync([.. held.Select(step => new LeaseReport(step.Lease, Success))], Next(), Ct);
        Assert.Equal([(3, 1)], transactions);
        Assert.Equal("d", Assert.Single(outcome.Claimed).Step.Name);
    }

    [Fact]
    public async Task A_step_claimed_beside_a_report_that_failed_goes_back()
    {
        var faults = new Faults();
        var store = await OpenAsync(new InjectedFault("some reports cannot be written") { Transaction = (transaction, _) => new Failing(transaction, faults) }, ADefinition.Jobs("w", "a", "b"));
        var held = Assert.Single(await store.Steps.ClaimAsync(Next(), Ct));

        // Together with the claim, and then alone.
        faults.Left = 2;
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Steps.ReportAsync([new LeaseReport(held.Lease, Success)], Next(), Ct));
        Assert.Equal(0, faults.Left);

        var other = Assert.Single(await store.Steps.ClaimAsync(Next(2), Ct));
        Assert.Equal(("b", 0), (other.Step.Name, other.Attempt));
        Assert.Equal([ReportVerdict.Accepted], (await store.Steps.ReportAsync([new LeaseReport(held.Lease, Success)], null, Ct)).Verdicts);
    }

    // A broker of its own with one run: SQLite has one broker for a file.
    private async Task<StoreHarness> OpenAsync(InjectedFault plant, WorkflowDefinition definition)
    {
        var store = OpenWith(Engine.Clock, plant);
        await store.Runs.StartAsync([new StartRequest((await store.Definitions.RegisterAsync([definition], makeLatest: false, Ct)).Registered[0], "i")], Ct);
        return store;
    }

    private sealed class Onlooker(IBatchTransaction inner, List<(int Reported, int Claimed)> seen) : FaultyTransaction(inner)
    {
        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(ChangeSet changes, IReadOnlyList<ClaimGroup> claims)
        {
            var written = base.Write(changes, claims);
            seen.Add((changes.Steps.Count, written.Claimed.Count));
            return written;
        }
    }

    private sealed class Faults
    {
        public int Left { get; set; }

        public bool Take()
        {
            if (Left == 0) return false;
            Left--;
            return true;
        }
    }

    private sealed class Failing(IBatchTransaction inner, Faults faults) : FaultyTransaction(inner)
    {
        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(ChangeSet changes, IReadOnlyList<ClaimGroup> claims) =>
            changes.Steps.Count > 0 && faults.Take() ? throw new InvalidOperationException("planted") : base.Write(changes, claims);
    }
}
