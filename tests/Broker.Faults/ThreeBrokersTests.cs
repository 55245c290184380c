using System.Diagnostics;
using System.Globalization;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>Three brokers on one PostgreSQL, killed at random every few seconds and started again, under 64 workers.</summary>
public sealed class ThreeBrokersTests(DurableCluster cluster)
{
    private const int Workers = 64;
    private const int MostBetweenKills = 4_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_death_of_a_broker_loses_doubles_or_delays_no_step()
    {
        var claims = Effort.Of(15_000, 1_000_000);
        await using var site = await Site.OpenAsync(Database.Postgres, cluster.Postgres, brokers: 3);
        await using var load = await Load.StartAsync(site, Workers, overstayEvery: 1_000, Ct, workMs: 12);
        load.Feed(400);
        await load.MoreAsync(100);
        var (kills, watch) = (0, Stopwatch.StartNew());
        while (load.Ledger.ClaimTimes.Count < claims)
        {
            var victim = site.Brokers[Random.Shared.Next(3)];
            var (broken, id) = (load.Ledger.OutageCount, victim.Id);
            await victim.KillAsync();
            await load.OutageAsync(broken);
            await victim.RestartAsync();
            Assert.NotEqual(id, victim.Id);
            kills++;
            await load.MoreAsync(Random.Shared.Next(50, MostBetweenKills));
        }

        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{kills} kills and {load.Ledger.ClaimTimes.Count} claims in {watch.Elapsed.TotalSeconds:0} s"));
        await load.EndAsync(Ct);
    }
}
