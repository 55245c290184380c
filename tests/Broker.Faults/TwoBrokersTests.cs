using System.Globalization;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>Two brokers share one PostgreSQL.</summary>
public sealed class TwoBrokersTests(DurableCluster cluster)
{
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(1);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_may_be_killed_while_both_work()
    {
        await using var site = await Site.OpenAsync(Database.Postgres, cluster.Postgres, brokers: 2);
        var times = await HandOver.MeasureAsync(site, Effort.Of(9, 99), Ct);
        // The median, because a busy machine may delay one of them for reasons of its own.
        Assert.True(times.Percentile(50) <= Promised.TotalMilliseconds);
        await using var load = await Load.StartAsync(site, 8, overstayEvery: 40, Ct);
        var kills = Effort.Of(2, 10);
        for (var i = 0; i < kills; i++)
        {
            var done = await load.AddRunsAsync(Effort.Of(30, 50), Ct);
            var broken = load.Ledger.OutageCount;
            var victim = site.Brokers[i % 2];
            await victim.KillAsync();
            await load.OutageAsync(broken);
            Assert.False(site.Brokers[(i + 1) % 2].HasExited);
            await victim.RestartAsync();
            Effort.Print(string.Create(
                CultureInfo.InvariantCulture,
                $"broker {(i % 2) + 1} killed at {done} of {load.Steps} accepted reports; {load.Ledger.AcceptedCount - done} more until it was back"));
        }

        await load.EndAsync(Ct);
    }
}
