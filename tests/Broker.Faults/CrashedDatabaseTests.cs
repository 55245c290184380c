using System.Diagnostics;
using System.Globalization;
using System.Net;
using Broker.Faults.Harness;
using Broker.Testing;
using Xunit;

namespace Broker.Faults;

/// <summary>PostgreSQL goes as in a power cut, under load, and comes back.</summary>
public sealed class CrashedDatabaseTests
{
    private static readonly TimeSpan NoticedWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RecoveredWithin = TimeSpan.FromSeconds(15);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_broker_says_so_and_recovers_by_itself_with_all_that_was_accepted()
    {
        var crashes = Effort.Of(1, 5);
        await using var postgres = DurableCluster.New();
        await using var site = await Site.OpenAsync(Database.Postgres, postgres);
        Assert.SkipWhen(postgres.ProcessId == 0, "A server that was given cannot be crashed.");
        var broker = site.Broker.Id;
        await using var load = await Load.StartAsync(site, 8, overstayEvery: 40, Ct);
        for (var i = 0; i < crashes; i++)
        {
            var done = await load.AddRunsAsync(Effort.Of(60, 100), Ct);
            var (broken, server) = (load.Ledger.OutageCount, postgres.ProcessId);
            Assert.Equal(HttpStatusCode.OK, await site.ReadyAsync(Ct));

            await postgres.CrashAsync();
            var noticed = await site.UntilReadyAsync(HttpStatusCode.ServiceUnavailable, NoticedWithin, Ct);
            await load.OutageAsync(broken);
            await postgres.RestartAsync();
            Assert.NotEqual(server, postgres.ProcessId);
            var (lost, watch) = (load.Ledger.AcceptedCount, Stopwatch.StartNew());
            var ready = await site.UntilReadyAsync(HttpStatusCode.OK, RecoveredWithin, Ct);
            await Eventually.TrueAsync(() => load.Ledger.AcceptedCount > lost, RecoveredWithin, "a report is accepted again");
            Effort.Print(string.Create(
                CultureInfo.InvariantCulture,
                $"crash {i + 1} at {done} of {load.Steps} accepted reports: /readyz 503 after {noticed:0.00} s, 200 {ready:0.00} s and a report accepted {watch.Elapsed.TotalSeconds:0.00} s after the server's return"));
        }

        await load.EndAsync(Ct);
        Assert.Equal(broker, site.Broker.Id);
    }
}
