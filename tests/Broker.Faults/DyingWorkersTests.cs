using System.Globalization;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>Half of many workers drop dead, each with a step in its hands, while thousands of steps run.</summary>
public abstract class DyingWorkersTests(DurableCluster cluster, Database database)
{
    private const int ReapSecs = 1;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_run_ends_and_each_step_is_taken_over_in_time()
    {
        var (workers, steps) = (Effort.Of(24, 200), Effort.Of(1_000, 20_000));
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        await using var load = await Load.StartAsync(site, workers, overstayEvery: 0, Ct);
        // No backlog: a step that is free again should not wait behind others for a worker.
        load.Feed(workers);
        var done = Random.Shared.Next(steps / 4, steps / 2);
        await load.MoreAsync(done);
        foreach (var worker in load.Workers.Take(workers / 2)) worker.Crash();
        await load.MoreAsync(steps - done);
        await load.EndAsync(Ct);

        var abandoned = load.Ledger.Abandoned;
        Assert.InRange(abandoned.Count, 1, workers / 2);
        var taken = load.Ledger.Held.Select(h => (h.Step, At: h.From)).Concat(abandoned).ToLookup(t => t.Step, t => t.At);
        var times = abandoned.Select(a => taken[a.Step].Where(at => at > a.At).Min() - a.At).ToList();
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"{abandoned.Count} of {workers} workers died with a step after {done} of {load.Steps}; taken over after median {times.Percentile(50)} ms, p99 {times.Percentile(99)} ms, lease {TokenWorker.LeaseSecs} s, reaper {ReapSecs} s"));
        Assert.True(times.Min() >= (TokenWorker.LeaseSecs * 1000) - 100, "no lease was taken away early");
        Effort.Bound(times.Percentile(99) <= (TokenWorker.LeaseSecs + ReapSecs + 1) * 1000, "p99 is lease + one round of the reaper + 1 s");
    }
}

public sealed class PostgresDyingWorkersTests(DurableCluster cluster) : DyingWorkersTests(cluster, Database.Postgres);

public sealed class SqliteDyingWorkersTests(DurableCluster cluster) : DyingWorkersTests(cluster, Database.Sqlite);
