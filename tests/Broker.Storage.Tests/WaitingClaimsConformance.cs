using Broker.Core.Runs;
using Broker.Storage.Matching;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Waiting claims: which claim is woken, and when no claim needs to look.</summary>
public abstract class WaitingClaimsConformance : StoreTests
{
    private static readonly ClaimRequest Claim = new("w", ClaimScope.ByLabels, [], 1, null);

    private protected WaitingClaimsConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private Task<WaitingClaim> EnterAsync() => Store.EnterAsync(Claim, Ct);

    private async Task<WaitingClaim> EnterInVainAsync()
    {
        var turn = await EnterAsync();
        Assert.True(turn.BeginsLook());
        turn.FoundNothing();
        return turn;
    }

    // Generous: it is awaited, and only a failure takes that long.
    private static Task<bool> WokenAsync(WaitingClaim turn) => turn.WaitAsync(TimeSpan.FromSeconds(30), Ct);

    [Fact]
    public async Task After_an_empty_look_other_claims_of_the_same_kind_do_not_look()
    {
        await RegisterAsync(ADefinition.Jobs("d", "a"));
        Assert.False(await Store.IsQuietAsync(Claim, Ct));
        using var first = await EnterInVainAsync();
        Assert.True(await Store.IsQuietAsync(Claim, Ct));
        Assert.False(await Store.IsQuietAsync(Claim with { Labels = ["gpu"] }, Ct));
        using (var second = await EnterAsync()) Assert.False(second.BeginsLook());
        Assert.Equal(1, Store.Waiting.Waiting);
    }

    [Fact]
    public async Task A_ready_step_wakes_one_claim_and_lets_every_new_claim_look()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        using var first = await EnterInVainAsync();
        using var second = await EnterAsync();
        await StartAsync(definition, "i");
        Assert.True(await WokenAsync(first));
        Assert.False(await Store.IsQuietAsync(Claim, Ct));
        Assert.True(first.BeginsLook());
        Assert.True(second.BeginsLook());
    }

    [Fact]
    public async Task A_look_that_began_before_something_became_ready_proves_nothing()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        using var early = await EnterAsync();
        Assert.True(early.BeginsLook());
        await StartAsync(definition, "i");

        // The start is answered before its signal is sent.
        Assert.True(await WokenAsync(early));
        early.FoundNothing();
        Assert.False(await Store.IsQuietAsync(Claim, Ct));
    }

    [Fact]
    public async Task The_poll_wakes_one_claim_and_a_served_claim_wakes_the_next()
    {
        await RegisterAsync(ADefinition.Jobs("d", "a"));
        using var first = await EnterInVainAsync();
        using var second = await EnterAsync();
        await Store.Waiting.PollAsync(Ct);
        Assert.True(await WokenAsync(first));
        Assert.True(first.BeginsLook());
        first.Served();
        Assert.True(await WokenAsync(second));
        Assert.True(second.BeginsLook());
    }

    [Fact]
    public async Task A_claim_that_leaves_without_a_look_passes_the_signal_on()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var first = await EnterInVainAsync();
        using var second = await EnterAsync();
        await StartAsync(definition, "i");
        first.Dispose();
        Assert.True(await WokenAsync(second));
    }

    [Fact]
    public async Task A_queue_that_is_new_is_worth_a_look()
    {
        await RegisterAsync(ADefinition.Jobs("d", "a"));
        using var first = await EnterInVainAsync();
        await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "urgent", "jobs": {"name": "urgent", "trigger": ""}, "steps": {"a": {"command": "x", "depends_on": [], "priority": 5}}}
            """));
        Assert.False(await Store.IsQuietAsync(Claim, Ct));
        using var second = await EnterAsync();
        Assert.True(second.BeginsLook());
    }

    [Fact]
    public async Task A_ready_step_is_handed_to_a_waiting_claim_in_the_same_transaction()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a", "b"));
        using var first = await EnterInVainAsync();
        using var second = await EnterAsync();
        Task<bool>[] waiting = [WokenAsync(first), WokenAsync(second)];
        var run = await StartAsync(definition, "i");
        Assert.All(await Task.WhenAll(waiting), Assert.True);
        var given = new List<Assignment>();
        foreach (var turn in (WaitingClaim[])[first, second])
        {
            Assert.True(turn.BeginsLook());
            given.AddRange(await turn.TakeOffer()!);
            turn.Served();
            Assert.Null(turn.TakeOffer());
        }

        Assert.Equal(["a", "b"], given.Select(s => s.Step.Name).Order());
        Assert.All(given, s => Assert.Equal(run, s.Run));

        // No other claim got a signal.
        Assert.True(await Store.IsQuietAsync(Claim, Ct));
        foreach (var step in given) Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(step));
    }

    [Fact]
    public async Task A_claim_with_an_id_is_woken_and_looks_for_itself()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var claim = Claim with { ClaimId = "once" };
        using var turn = await Store.EnterAsync(claim, Ct);
        var waiting = WokenAsync(turn);
        await StartAsync(definition, "i");
        Assert.True(await waiting);
        Assert.Null(turn.TakeOffer());
        Assert.Single(await Store.Steps.ClaimAsync(claim, Ct));

        // Sent again it has to look, however quiet it is.
        using var other = await EnterInVainAsync();
        Assert.False(await Store.IsQuietAsync(claim, Ct));
    }

    [Fact]
    public async Task A_caller_who_has_gone_is_given_nothing()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        using var gone = new CancellationTokenSource();
        using var turn = await Store.EnterAsync(Claim, gone.Token);
        var waiting = turn.WaitAsync(TimeSpan.FromSeconds(30), gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await StartAsync(definition, "i");
        Assert.Null(turn.TakeOffer());
        Assert.NotNull(await ClaimAsync());
    }

    /// <summary>Waits that end at any moment, also while a transaction serves their claim: each handed-out step reaches a worker.</summary>
    [Fact]
    public async Task Nothing_is_handed_to_a_claim_that_has_stopped_waiting()
    {
        const int steps = 3 * 60;

        // Half of the waits end within 5 ms, often beside an offer. On a busy machine only the other half is long enough to get one.
        const int LongWaitMs = 100;
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a", "b<-a", "c<-b"));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var (done, offered) = (0, 0);
        async Task WorkAsync(Random random)
        {
            while (Volatile.Read(ref done) < steps)
            {
                using var turn = await Store.EnterAsync(Claim, end.Token);
                IReadOnlyList<Assignment> claimed = [];
                do
                {
                    if (!turn.BeginsLook()) continue;
                    var offer = turn.TakeOffer();
                    if (offer is not null) Interlocked.Increment(ref offered);
                    claimed = await (offer ?? Store.Steps.ClaimAsync(Claim, Ct));
                    if (claimed.Count == 0) turn.FoundNothing();
                    else turn.Served();
                }
                while (claimed.Count == 0 && await turn.WaitAsync(TimeSpan.FromMilliseconds(random.Next(2) == 0 ? random.Next(6) : LongWaitMs), end.Token));
                foreach (var step in claimed)
                {
                    Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(step));
                    (Engine.Clock as TestClock)?.Advance(TimeSpan.FromMilliseconds(2));
                    if (Interlocked.Increment(ref done) == steps) await end.CancelAsync();
                }
            }
        }

        var working = Enumerable.Range(0, 6).Select(i => Task.Run(() => WorkAsync(new Random(i)), Ct)).ToList();
        for (var i = 0; i < steps / 3; i++) await StartAsync(definition, $"i-{i}");

        // A step whose assignment was lost stays leased, and its run never ends.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(working).WaitAsync(TimeSpan.FromSeconds(60), Ct));
        Assert.Equal(steps, done);
        Assert.NotEqual(0, offered);
    }
}
