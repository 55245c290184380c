using Broker.Faults.Harness;
using Broker.Testing;
using Xunit;

namespace Broker.Faults;

/// <summary>An operator's order to drain a worker, with the real shell worker.</summary>
public abstract class DrainTests(DurableCluster cluster, Database database)
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_drained_worker_finishes_its_job_takes_no_other_and_goes_on_when_it_may()
    {
        using var scratch = new TempFolder();
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        var gate = Path.Combine(scratch.Path, "gate");
        var held = await DefineAsync(site, $"until [ -e {gate} ]; do sleep 0.05; done; echo \"on $WHO\"");
        await using var first = ShellWorker.Start(site.Broker.Address, "first", "--slots", "2", "--wait", "1");
        await StatusAsync(site, held, "running");

        var drained = await site.Http.MustPostAsync("/api/v1/workers/first/drain", """{"reason":"old disk"}""", Ct);
        Assert.Equal("old disk", (string?)drained["drained"]!["reason"]);
        await Eventually.TrueAsync(() => first.Output.Any(line => line.Contains("drained by an operator", StringComparison.Ordinal)), WaitLimit);

        // It has a free slot. The other worker gets what comes now.
        var next = await DefineAsync(site, "echo \"on $WHO\"");
        await using (var second = ShellWorker.Start(site.Broker.Address, "second", "--wait", "1"))
        {
            await StatusAsync(site, next, "success");
            Assert.Equal("on second\n", await LogAsync(site, next));
            Assert.Equal("running", await StatusOfAsync(site, held));
            await File.WriteAllTextAsync(gate, "", Ct);
            await StatusAsync(site, held, "success");
            Assert.Equal("on first\n", await LogAsync(site, held));
            Assert.Equal(0, await second.StopAsync());
        }

        var info = await site.Http.MustGetAsync("/api/v1/workers/first", Ct);
        Assert.Equal(("old disk", 0), ((string?)info["drained"]!["reason"], (int)info["leases"]!));
        await site.Http.MustPostAsync("/api/v1/workers/first/undrain", "{}", Ct);
        var last = await DefineAsync(site, "echo \"on $WHO\"");
        await StatusAsync(site, last, "success");
        Assert.Equal("on first\n", await LogAsync(site, last));
        Assert.Equal(0, await first.StopAsync());
    }

    private static async Task<string> DefineAsync(Site site, string command)
    {
        var workflow = await site.Http.DefineAsync(Ct, Wire.Job("job", command));
        await site.Http.MustPostAsync($"/api/workflows/{workflow}/run", "", Ct);
        return workflow;
    }

    private static async Task<string?> StatusOfAsync(Site site, string workflow) => (string?)(await site.Http.JobsAsync(workflow, Ct))["job"]["status"];

    private static Task StatusAsync(Site site, string workflow, string expected) =>
        Eventually.TrueAsync(async () => await StatusOfAsync(site, workflow) == expected, WaitLimit, expected);

    private static async Task<string> LogAsync(Site site, string workflow) =>
        string.Concat((await site.Http.MustGetAsync($"/api/workflows/{workflow}/jobs/job/logs", Ct)).AsArray().Select(chunk => (string)chunk!["data"]!));
}

public sealed class PostgresDrainTests(DurableCluster cluster) : DrainTests(cluster, Database.Postgres);

public sealed class SqliteDrainTests(DurableCluster cluster) : DrainTests(cluster, Database.Sqlite);
