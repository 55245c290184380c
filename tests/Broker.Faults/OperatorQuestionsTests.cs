using System.Text.Json.Nodes;
using Broker.Faults.Harness;
using Broker.Testing;
using Xunit;

namespace Broker.Faults;

/// <summary>The questions of an operator on call, while the two Python workers of <c>docs/worker-protocol.md</c> are at work.</summary>
public abstract class OperatorQuestionsTests(DurableCluster cluster, Database database)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_finds_which_runs_go_on_what_waits_and_why()
    {
        using var scratch = new TempFolder();
        var (jobs, steps) = (await PageWorker.BuildAsync("python", "jobs", scratch.Path), await PageWorker.BuildAsync("python", "broker", scratch.Path));
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        await using var runner = PageWorker.Start(jobs, site.Broker.Address, leaseSecs: 3);
        await using var barista = PageWorker.Start(steps, site.Broker.Address, leaseSecs: 3);
        var (shell, coffee) = (await PageWork.OfJobsAsync(site.Http, scratch.Path, Ct), await PageWork.OfStepsAsync(site.Http, Ct));

        var broken = await StartJobAsync(site, "exit 3");
        await Eventually.TrueAsync(async () => await StatusAsync(site, broken) == "failed", Patience, "the job has failed");
        var starved = await StartJobAsync(site, "true", ""","required_labels":["gpu"]""");
        await shell.StartAsync(shell.Slow, "building");
        await coffee.StartAsync(coffee.Slow, "brewing");
        await shell.UntilLeasedAsync(shell.Slow, "building");
        await coffee.UntilLeasedAsync(coffee.Slow, "brewing");
        await site.Http.MustPostAsync("/workflow/dispatch", """
            {"workflow":{"workflow_id":"release","steps":{"approve":{"kind":"waitForEvent","event":"approved","timeout_ms":3600000}}}}
            """, Ct);

        // Which runs go on, and with which worker?
        var running = await ItemsAsync(site, "/api/v1/runs?status=running");
        Assert.Equal(["brewing", "building"], running.Select(run => (string)run["instance"]!).Order());
        Assert.All(running, run => Assert.Equal("leased", (string?)run["current"]![0]!["state"]));
        Assert.All(running, run => Assert.NotEmpty((string)run["current"]![0]!["worker"]!));

        // Which steps wait for an event, and which for a worker?
        var wait = Assert.Single(await ItemsAsync(site, "/api/v1/waiting"));
        Assert.Equal(("release", "approve", "approved"), ((string?)wait["workflow"], (string?)wait["step"], (string?)wait["event"]));
        var queue = Assert.Single(await ItemsAsync(site, "/api/v1/queues"), queue => (int)queue["depth"]!["count"]! > 0);
        Assert.Equal(("gpu", 0), ((string?)queue["labels"]![0], (int)queue["workers_able"]!));

        // Why does that job wait, and why did the other one fail?
        var cause = (await site.Http.MustGetAsync($"/api/v1/runs/{starved}/{starved}/steps/only", Ct))["causes"]![0]!;
        Assert.Equal("no_worker", (string?)cause["code"]);
        var groups = (await site.Http.MustGetAsync("/api/v1/explain", Ct))["causes"]!.AsArray().Select(group => (string)group!["code"]!).ToList();
        Assert.Contains("no_worker", groups);
        Assert.Contains("waiting_for_event", groups);
        var failed = Assert.Single(await ItemsAsync(site, "/api/v1/runs?status=failed"));
        Assert.Equal((broken, "exit code 3: "), ((string?)failed["workflow"], (string?)failed["error"]!["message"]));
        var attempt = Assert.Single(await ItemsAsync(site, $"/api/v1/runs/{broken}/{broken}/steps/only/attempts"));
        Assert.Equal(("failed", 3), ((string?)attempt["outcome"], (int)attempt["error"]!["exit_code"]!));

        // The answers are acted on: the event is sent, what goes on is cancelled, and the workers stop it.
        await site.Http.MustPostAsync($"/api/v1/runs/release/{wait["instance"]}/events", """{"type":"approved"}""", Ct);
        await shell.CancelAsync(shell.Slow, "building");
        await coffee.CancelAsync(coffee.Slow, "brewing");
        await Eventually.TrueAsync(() => runner.Lines.Any(line => line.Instance == "building") && barista.Lines.Any(line => line.Instance == "brewing"), Patience, "the workers have stopped");
        Assert.Equal([starved], (await ItemsAsync(site, "/api/v1/runs?status=queued,running,waiting")).Select(run => (string?)run["workflow"]));
    }

    private static async Task<string> StartJobAsync(Site site, string command, string more = "")
    {
        var id = await site.Http.DefineAsync(Ct, Wire.Job("only", command, more: more));
        await site.Http.MustPostAsync($"/api/workflows/{id}/run", "", Ct);
        return id;
    }

    private static async Task<string> StatusAsync(Site site, string job) => (string)(await site.Http.MustGetAsync($"/api/v1/runs/{job}/{job}", Ct))["status"]!;

    private static async Task<IReadOnlyList<JsonNode>> ItemsAsync(Site site, string path) => [.. (await site.Http.MustGetAsync(path, Ct))["items"]!.AsArray().Select(item => item!)];
}

public sealed class PostgresOperatorQuestionsTests(DurableCluster cluster) : OperatorQuestionsTests(cluster, Database.Postgres);

public sealed class SqliteOperatorQuestionsTests(DurableCluster cluster) : OperatorQuestionsTests(cluster, Database.Sqlite);
