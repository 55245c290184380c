using System.Globalization;
using Broker.Faults.Harness;
using Broker.Testing;
using Xunit;

namespace Broker.Faults;

/// <summary>kill -9 of half the shell workers in the middle of their jobs.</summary>
public abstract class KilledWorkersTests(DurableCluster cluster, Database database)
{
    private const int LeaseSecs = 3;
    private const int ReapSecs = 1;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Jobs_of_dead_workers_are_taken_over_in_time()
    {
        var workers = Effort.Of(4, 16);
        using var scratch = new TempFolder();
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        var go = Path.Combine(scratch.Path, "go");
        // Ends by itself in any case.
        var command = $"echo $WHO >> {scratch.Path}/$BROKER_JOB; n=0; while [ ! -e {go} ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n+1)); done";
        var workflow = await site.Http.DefineAsync(
            Ct, [.. Enumerable.Range(0, workers).Select(i => Wire.Job($"job-{i}", command, more: ""","max_retries":1"""))]);
        await site.Http.MustPostAsync($"/api/workflows/{workflow}/run", "", Ct);
        var team = Enumerable.Range(0, workers)
            .Select(i => ShellWorker.Start(site.Broker.Address, $"w-{i}", "--lease-ttl", $"{LeaseSecs}", "--wait", "5")).ToList();
        try
        {
            await Eventually.TrueAsync(
                () => Directory.GetFiles(scratch.Path).Length == workers && Directory.GetFiles(scratch.Path).All(f => new FileInfo(f).Length > 0),
                TimeSpan.FromSeconds(30),
                "every worker has a job");
            var doomed = Enumerable.Range(0, workers / 2).Select(i => $"w-{i}").ToHashSet();
            var theirs = Directory.GetFiles(scratch.Path).Where(f => doomed.Contains(File.ReadLines(f).First())).Select(f => Path.GetFileName(f)!).ToList();
            Assert.Equal(workers / 2, theirs.Count);

            await Task.WhenAll(team.Take(workers / 2).Select(w => w.KillAsync()));
            var killed = TimeProvider.System.GetUtcNow();
            Assert.Equal(workers / 2, team.Count(w => w.HasExited));
            await File.WriteAllTextAsync(go, "", Ct);
            await Eventually.TrueAsync(
                async () => (await site.Http.JobsAsync(workflow, Ct)).Values.All(j => (string?)j["status"] == "success"),
                TimeSpan.FromSeconds(30),
                "every job has ended");

            var jobs = await site.Http.JobsAsync(workflow, Ct);
            Assert.All(theirs, j => Assert.Equal(1, (int)jobs[j]["attempt"]!));
            Assert.All(theirs, j => Assert.DoesNotContain(File.ReadLines(Path.Combine(scratch.Path, j)).Last(), doomed));
            var times = theirs.Select(j => (DateTimeOffset.FromUnixTimeMilliseconds((long)jobs[j]["started_at"]!) - killed).TotalSeconds).Order().ToList();
            Effort.Print(string.Create(
                CultureInfo.InvariantCulture,
                $"{workers / 2} of {workers} workers killed; their jobs began again after {string.Join(", ", times.Select(t => t.ToString("0.00", CultureInfo.InvariantCulture)))} s"));
            Assert.All(times, t => Assert.InRange(t, 0, LeaseSecs + ReapSecs + 1));
        }
        finally
        {
            foreach (var worker in team) await worker.DisposeAsync();
        }
    }
}

public sealed class PostgresKilledWorkersTests(DurableCluster cluster) : KilledWorkersTests(cluster, Database.Postgres);

public sealed class SqliteKilledWorkersTests(DurableCluster cluster) : KilledWorkersTests(cluster, Database.Sqlite);
