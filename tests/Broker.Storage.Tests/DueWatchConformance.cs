using Broker.Core.Runs;
using Broker.Storage.Matching;
using Broker.Storage.Tests.Model;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Work that was put off reaches claims that wait for it when it falls due. No poll runs here.</summary>
public abstract class DueWatchConformance : StoreTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(600);
    private static readonly ClaimRequest Claim = new("w", ClaimScope.ByLabels, [], 1, null);

    private const string Job = """{"command": "x", "depends_on": [], "retries": {"limit": 1, "delay_ms": 600, "backoff": "constant"}}""";

    private protected DueWatchConformance(ITestEngine engine)
        : base(engine)
    {
    }

    /// <summary>Jobs that are leased and, when they fail, tried again after <see cref="Delay"/>.</summary>
    private async Task<List<Assignment>> LeasedAsync(int jobs)
    {
        var steps = string.Join(", ", Enumerable.Range(0, jobs).Select(i => $"\"j{i}\": {Job}"));
        await StartAsync(await RegisterAsync(ADefinition.Of($$"""{"workflow_id": "d", "jobs": {"name": "d", "trigger": ""}, "steps": { {{steps}} } }""")), "i");
        var leased = new List<Assignment>();
        for (var i = 0; i < jobs; i++) leased.Add((await ClaimAsync())!);
        return leased;
    }

    private async Task FailAsync(IEnumerable<Assignment> steps)
    {
        foreach (var step in steps) Assert.Equal(ReportVerdict.Accepted, await FailAsync(step));
    }

    private static async Task<WaitingClaim> EnterInVainAsync(StoreHarness store)
    {
        var turn = await store.EnterAsync(Claim, Ct);
        Assert.True(turn.BeginsLook());
        Assert.Empty(await store.Steps.ClaimAsync(Claim, Ct));
        turn.FoundNothing();
        return turn;
    }

    // A clock that stands still goes on once a timer is set to what falls due.
    private async Task PassAsync()
    {
        if (Engine.Clock is not TestClock clock) return;
        await Eventually.TrueAsync(() => clock.ArmedTimers > 0);
        clock.Advance(Delay + TimeSpan.FromMilliseconds(50));
    }

    // Generous: it is awaited, and only a failure takes that long.
    private static async Task<Assignment> ServedAsync(StoreHarness store, WaitingClaim turn)
    {
        while (await turn.WaitAsync(TimeSpan.FromSeconds(30), Ct))
        {
            Assert.True(turn.BeginsLook());
            var claimed = await store.Steps.ClaimAsync(Claim, Ct);
            if (claimed.Count == 0)
            {
                turn.FoundNothing();
                continue;
            }

            turn.Served();
            TestContext.Current.TestOutputHelper?.WriteLine($"granted {(claimed[0].GrantedAt - claimed[0].Due).TotalMilliseconds:0.0} ms after it fell due");
            Assert.True(claimed[0].GrantedAt >= claimed[0].Due);
            Assert.Equal(1, claimed[0].Attempt);
            return claimed[0];
        }

        Assert.Fail("The claim was not woken.");
        return null!;
    }

    [Fact]
    public async Task A_retry_wakes_a_claim_that_began_to_wait_after_the_failure()
    {
        await FailAsync(await LeasedAsync(1));
        using var turn = await EnterInVainAsync(Store);
        await PassAsync();
        await ServedAsync(Store, turn);
    }

    [Fact]
    public async Task A_retry_wakes_a_claim_that_waited_before_the_failure()
    {
        var leased = await LeasedAsync(1);
        using var turn = await EnterInVainAsync(Store);
        await FailAsync(leased);
        await PassAsync();
        await ServedAsync(Store, turn);
    }

    [Fact]
    public async Task A_broker_without_a_signal_of_the_failure_wakes_its_claims_too()
    {
        await FailAsync(await LeasedAsync(1));
        var peer = OpenPeer();

        // Once, for the queue that another broker has made.
        await peer.Waiting.PollAsync(Ct);
        using var turn = await EnterInVainAsync(peer);
        await PassAsync();
        await ServedAsync(peer, turn);
    }

    [Fact]
    public async Task As_many_claims_are_woken_as_steps_fall_due()
    {
        await FailAsync(await LeasedAsync(3));
        var turns = new List<WaitingClaim> { await EnterInVainAsync(Store), await Store.EnterAsync(Claim, Ct), await Store.EnterAsync(Claim, Ct) };
        await PassAsync();

        var served = await Task.WhenAll(turns.Select(turn => ServedAsync(Store, turn)));

        foreach (var turn in turns) turn.Dispose();
        Assert.Equal(["j0", "j1", "j2"], served.Select(s => s.Step.Name).Order());
    }

    [Fact]
    public async Task A_claim_that_leaves_when_it_is_woken_passes_the_step_on_to_one_of_another_kind()
    {
        await FailAsync(await LeasedAsync(1));
        var leaving = await EnterInVainAsync(Store);
        await PassAsync();
        await Eventually.TrueAsync(async () => !await Store.IsQuietAsync(Claim, Ct));
        using var staying = await Store.EnterAsync(Claim with { Labels = ["more"] }, Ct);

        leaving.Dispose();

        Assert.True(await staying.WaitAsync(TimeSpan.FromSeconds(30), Ct));
    }

    [Fact]
    public async Task However_many_claims_wait_in_vain_what_falls_due_is_looked_up_once_a_second()
    {
        await RegisterAsync(ADefinition.Jobs("d", "a"));
        var looks = 0;
        var store = OpenWith(Engine.Clock, new InjectedFault("counts") { Looks = () => Interlocked.Increment(ref looks) });
        await store.Waiting.PollAsync(Ct);
        var polled = Volatile.Read(ref looks);
        var began = TimeProvider.System.GetTimestamp();
        (await EnterInVainAsync(store)).Dispose();
        await Eventually.TrueAsync(() => Volatile.Read(ref looks) > polled);
        var first = Volatile.Read(ref looks);
        for (var i = 0; i < 100; i++) (await EnterInVainAsync(store)).Dispose();

        Assert.InRange(Volatile.Read(ref looks) - first, 0, 1 + (2 * (int)TimeProvider.System.GetElapsedTime(began).TotalSeconds));
    }
}
