using System.Globalization;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>kill -9 of the only broker, again and again, while eight workers do five-step runs.</summary>
public abstract class KilledBrokerTests(DurableCluster cluster, Database database)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broker_killed_at_random_moments_loses_no_accepted_report_and_applies_none_twice()
    {
        var kills = Effort.Of(2, 10);
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        await using var load = await Load.StartAsync(site, 8, overstayEvery: 40, Ct);
        var last = site.Broker.Id;
        for (var i = 0; i < kills; i++)
        {
            var done = await load.AddRunsAsync(Effort.Of(30, 50), Ct);
            var broken = load.Ledger.OutageCount;
            await site.Broker.KillAsync();
            await load.OutageAsync(broken);
            await site.Broker.RestartAsync();
            Assert.NotEqual(last, site.Broker.Id);
            last = site.Broker.Id;
            Effort.Print(string.Create(CultureInfo.InvariantCulture, $"kill {i + 1} at {done} of {load.Steps} accepted reports"));
        }

        await load.EndAsync(Ct);
    }
}

public sealed class PostgresKilledBrokerTests(DurableCluster cluster) : KilledBrokerTests(cluster, Database.Postgres);

public sealed class SqliteKilledBrokerTests(DurableCluster cluster) : KilledBrokerTests(cluster, Database.Sqlite);
