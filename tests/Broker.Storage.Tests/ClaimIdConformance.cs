using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Claims with an id: sent again, they get the same leases.</summary>
public abstract class ClaimIdConformance : StoreTests
{
    private static readonly StepReport Success = new(ReportOutcome.Succeeded) { ResultJson = "1" };

    private protected ClaimIdConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static ClaimRequest Named(string id, int count = 1, int? lease = null) => new("w", ClaimScope.ByLabels, [], count, lease) { ClaimId = id };

    private async Task StartAsync(int steps) =>
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", [.. Enumerable.Range(0, steps).Select(i => $"s{i:000}")])), "i");

    /// <summary>Two brokers that have met the definition: only then are its queues open to claims there.</summary>
    private async Task<StoreHarness[]> OpenTwoAsync()
    {
        await StartAsync(100);
        var peer = OpenPeer();
        await peer.Definitions.RegisterAsync([(await Store.Definitions.LatestAsync("d", Ct))!], makeLatest: false, Ct);
        return [Store, peer];
    }

    private async Task<string> LeasedAsync() => Assert.Single(await Engine.QueryAsync("SELECT count(*) FROM step WHERE status = 2"));

    [Fact]
    public async Task The_same_claim_sent_many_times_at_once_is_granted_once()
    {
        const int Claims = 15;
        var brokers = await OpenTwoAsync();
        for (var i = 0; i < Claims; i++)
        {
            var claim = Named($"c{i}", count: 2);
            var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(k => Task.Run(() => brokers[k % 2].Steps.ClaimAsync(claim, Ct))));
            Assert.All(answers, answer => Assert.Equal(answers[0].Select(s => s.Lease), answer.Select(s => s.Lease)));
            Assert.Equal(2, answers[0].Count);
        }

        Assert.Equal($"{Claims * 2}", await LeasedAsync());
    }

    [Fact]
    public async Task Reports_that_claim_sent_many_times_at_once_are_granted_once()
    {
        const int Rounds = 10;
        var brokers = await OpenTwoAsync();
        var held = Assert.Single(await Store.Steps.ClaimAsync(Named("first"), Ct));
        for (var i = 0; i < Rounds; i++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(k => Task.Run(() =>
                brokers[k % 2].Steps.ReportAsync([new LeaseReport(held.Lease, Success)], Named($"next{i}"), Ct))));
            Assert.Single(answers, answer => answer.Verdicts is [ReportVerdict.Accepted]);
            held = Assert.Single(answers.Select(answer => Assert.Single(answer.Claimed)).DistinctBy(step => step.Lease));
        }

        Assert.Equal("1", await LeasedAsync());
    }

    [Fact]
    public async Task A_broker_that_does_not_know_the_queue_finds_what_another_has_granted()
    {
        await StartAsync(2);
        var held = Assert.Single(await Store.Steps.ClaimAsync(Named("c"), Ct));
        Assert.Equal(held.Lease, Assert.Single(await OpenPeer().Steps.ClaimAsync(Named("c"), Ct)).Lease);
    }

    [Fact]
    public async Task A_claim_sent_again_begins_its_lease_anew()
    {
        await StartAsync(2);
        var held = Assert.Single(await Store.Steps.ClaimAsync(Named("c", lease: 30), Ct));
        await Engine.PassAsync(TimeSpan.FromSeconds(29));
        var again = Assert.Single(await Store.Steps.ClaimAsync(Named("c", lease: 30), Ct));
        Assert.Equal(held.Lease, again.Lease);
        await Engine.PassAsync(TimeSpan.FromSeconds(29));
        Assert.Equal(0, await Store.Runs.ExpireLeasesAsync(10, Ct));
        Assert.Equal([HeartbeatVerdict.Renewed], await Store.Steps.HeartbeatAsync([again.Lease], Ct));
    }

    [Fact]
    public async Task A_claim_id_returns_the_leases_that_are_not_reported_yet()
    {
        await StartAsync(10);
        var held = await Store.Steps.ClaimAsync(Named("c", count: 3), Ct);
        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(held[1]));
        Assert.Equal([held[0].Lease, held[2].Lease], (await Store.Steps.ClaimAsync(Named("c", count: 3), Ct)).Select(s => s.Lease));
    }

    [Fact]
    public async Task A_claim_in_the_transaction_that_ends_its_only_lease_is_granted_another()
    {
        var definition = ADefinition.Graph("g", "a", "b<-a");
        var worker = (await Store.Workers.RegisterAsync([definition], Ct)).Id!;
        await StartAsync(definition, "i");
        var claim = new ClaimRequest(worker, ClaimScope.ByRegistration, []) { ClaimId = "c" };
        var first = Assert.Single(await Store.Steps.ClaimAsync(claim, Ct));
        var outcome = await Store.Steps.ReportAsync([new NamedReport(worker, "g", first.Run.WorkerInstanceId, "a", Success)], claim, Ct);
        Assert.Equal("b", Assert.Single(outcome.Claimed).Step.Name);
    }
}
