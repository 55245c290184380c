using Broker.Background;
using Broker.Settings;
using Broker.Storage.Contracts;
using Broker.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Tests.Operations;

/// <summary>How long a turn of retention goes on.</summary>
public sealed class RetentionTurnTests
{
    private readonly TestClock clock = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_turn_goes_on_while_it_finds_runs_to_remove()
    {
        var runs = new Rounds(round => new(2000, 2000, Finished: round == 1000));
        Assert.Equal(2_000_000, await TurnAsync(runs));
    }

    [Fact]
    public async Task A_turn_passes_a_bounded_number_of_runs_that_stay()
    {
        var runs = new Rounds(_ => new(2000, 1, Finished: false));
        Assert.Equal(26, await TurnAsync(runs));
        Assert.True(26 * 1999 >= Retention.MostPassed);
    }

    [Fact]
    public async Task A_turn_ends_after_a_minute_and_the_next_turn_goes_on()
    {
        var runs = new Rounds(_ =>
        {
            clock.Advance(TimeSpan.FromSeconds(7));
            return new(2000, 2000, Finished: false);
        });
        Assert.Equal(9 * 2000, await TurnAsync(runs));
    }

    [Fact]
    public async Task A_turn_ends_when_the_host_stops()
    {
        using var stop = new CancellationTokenSource();
        var runs = new Rounds(round =>
        {
            if (round == 3) stop.Cancel();
            return new(2000, 2000, Finished: false);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TurnAsync(runs, stop.Token));
    }

    private async Task<int> TurnAsync(IRetention runs, CancellationToken? ct = null)
    {
        using var retention = new Retention(runs, new BrokerSettings(), clock, NullLogger<Retention>.Instance);
        return await retention.RunOnceAsync(ct ?? Ct);
    }

    private sealed class Rounds(Func<int, RetentionRound> round) : IRetention
    {
        private int count;

        public Task<RetentionRound> RemoveEndedAsync(RetentionTimes keep, CancellationToken ct) => Task.FromResult(round(++count));
    }
}
