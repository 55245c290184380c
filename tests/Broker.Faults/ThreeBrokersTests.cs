using System.Diagnostics;
using System.Globalization;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>Three brokers on one PostgreSQL, killed at random every few seconds and started again, under 64 workers (8 in the short form).</summary>
public sealed class ThreeBrokersTests(DurableCluster cluster)
{
    private const int LongClaims = 1_000_000;

    // A million takes two cores longer than anybody waits: what was reached is printed.
    private static readonly TimeSpan LongRound = TimeSpan.FromMinutes(10);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task None_of_their_deaths_loses_doubles_or_holds_up_a_step()
    {
        Effort.RequireLong("Three brokers under load want the machine to themselves.");
        await using var site = await Site.OpenAsync(Database.Postgres, cluster.Postgres, brokers: 3);
        await using var load = await Load.StartAsync(site, Effort.Of(8, 64), overstayEvery: 200, Ct);
        load.Feed(Effort.Of(100, 400));
        await load.MoreAsync(100);
        var (kills, watch) = (0, Stopwatch.StartNew());
        while (Effort.IsLong ? load.Ledger.ClaimTimes.Count < LongClaims && watch.Elapsed < LongRound : kills < 2 || load.Ledger.AcceptedCount < 500)
        {
            var victim = site.Brokers[Random.Shared.Next(3)];
            var (broken, id) = (load.Ledger.OutageCount, victim.Id);
            await victim.KillAsync();
            await load.OutageAsync(broken);
            await victim.RestartAsync();
            Assert.NotEqual(id, victim.Id);
            kills++;
            await load.MoreAsync(Random.Shared.Next(50, Effort.Of(100, 4_000)));
        }

        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{kills} kills and {load.Ledger.ClaimTimes.Count} claims in {watch.Elapsed.TotalSeconds:0} s"));
        await load.EndAsync(Ct);
    }
}
