using System.Globalization;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>Two brokers are replaced one after the other (SIGTERM) under load; clients try again with the other one.</summary>
public sealed class RollingRestartTests(DurableCluster cluster)
{
    /// <summary>A client that gives up after as many broken attempts in a row has a failed request.</summary>
    private const int Attempts = 5;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_request_fails_behind_a_client_that_tries_again()
    {
        await using var site = await Site.OpenAsync(Database.Postgres, cluster.Postgres, brokers: 2);
        await using var load = await Load.StartAsync(site, Effort.Of(8, 16), overstayEvery: 0, Ct);
        load.Feed(100);
        for (var i = 0; i < Effort.Of(2, 20); i++)
        {
            await load.MoreAsync(100);
            var broker = site.Brokers[i % 2];
            var id = broker.Id;
            Assert.Equal(0, await broker.StopAsync());
            await load.MoreAsync(50);
            await broker.RestartAsync();
            Assert.NotEqual(id, broker.Id);
        }

        await load.EndAsync(Ct);
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture, $"longest row of broken attempts {load.Ledger.LongestRow}, {load.Ledger.RefusedCount} reports refused"));
        Assert.InRange(load.Ledger.LongestRow, 0, Attempts - 1);
        Effort.Bound(load.Ledger.RefusedCount == 0, "no report was refused");
    }
}
