using Broker.Core.Runs;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Waiting claims: who is woken, and when nobody need look.</summary>
public abstract class ClaimGateConformance : StoreTests
{
    private static readonly ClaimRequest Claim = new("w", ClaimScope.ByLabels, [], 1, null);

    private protected ClaimGateConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private Task<IClaimTurn> EnterAsync() => Store.Gate.EnterAsync(Claim, Ct);

    private async Task<IClaimTurn> EnterInVainAsync()
    {
        var turn = await EnterAsync();
        Assert.True(turn.BeginsLook());
        turn.FoundNothing();
        return turn;
    }

    // Generous: it is awaited, and only a failure takes that long.
    private static Task<bool> WokenAsync(IClaimTurn turn) => turn.WaitAsync(TimeSpan.FromSeconds(30), Ct);

    [Fact]
    public async Task When_one_has_looked_in_vain_others_of_its_kind_need_not()
    {
        await RegisterAsync(ADefinition.Jobs("d", "a"));
        Assert.False(await Store.Gate.IsQuietAsync(Claim, Ct));
        using var first = await EnterInVainAsync();
        Assert.True(await Store.Gate.IsQuietAsync(Claim, Ct));
        Assert.False(await Store.Gate.IsQuietAsync(Claim with { Labels = ["gpu"] }, Ct));
        using (var second = await EnterAsync()) Assert.False(second.BeginsLook());
        Assert.Equal(1, Store.Gate.Waiting);
    }

    [Fact]
    public async Task What_becomes_ready_wakes_one_and_lets_all_who_come_look()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        using var first = await EnterInVainAsync();
        using var second = await EnterAsync();
        await StartAsync(definition, "i");
        Assert.True(await WokenAsync(first));
        Assert.False(await Store.Gate.IsQuietAsync(Claim, Ct));
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

        // The start is answered before others are told of it.
        Assert.True(await WokenAsync(early));
        early.FoundNothing();
        Assert.False(await Store.Gate.IsQuietAsync(Claim, Ct));
    }

    [Fact]
    public async Task The_poll_wakes_one_and_whoever_is_served_by_it_wakes_the_next()
    {
        await RegisterAsync(ADefinition.Jobs("d", "a"));
        using var first = await EnterInVainAsync();
        using var second = await EnterAsync();
        await Store.Gate.PollAsync(Ct);
        Assert.True(await WokenAsync(first));
        Assert.True(first.BeginsLook());
        first.Served();
        Assert.True(await WokenAsync(second));
        Assert.True(second.BeginsLook());
    }

    [Fact]
    public async Task Who_leaves_without_having_looked_passes_the_signal_on()
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
        Assert.False(await Store.Gate.IsQuietAsync(Claim, Ct));
        using var second = await EnterAsync();
        Assert.True(second.BeginsLook());
    }
}
