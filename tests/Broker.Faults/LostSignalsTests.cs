using System.Globalization;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>Brokers whose signals are lost hand steps over all the same.</summary>
public sealed class LostSignalsTests(DurableCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_listeners_are_terminated_again_and_again()
    {
        await using var site = await Site.OpenAsync(Database.Postgres, cluster.Postgres, brokers: 2);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var terminated = 0L;
        var terminating = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    terminated += (long)(await site.SqlAsync(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'broker-listen-%' AND datname = current_database()"))!;
                    await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            },
            Ct);
        var times = await HandOver.MeasureAsync(site, Effort.Of(9, 199), Ct);
        await stop.CancelAsync();
        await terminating;
        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{terminated} listeners terminated"));
        Assert.True(terminated > 2, $"{terminated} listeners terminated");
        Effort.Bound(times.Percentile(99) <= 1_000, "p99 of a hand-over is 1 s");
    }
}
