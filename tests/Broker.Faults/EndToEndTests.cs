using System.Globalization;
using System.Text.Json.Nodes;
using Broker.Faults.Harness;
using Broker.Testing;
using Xunit;

namespace Broker.Faults;

/// <summary>A broker, its shell workers, a workflow file and a posted workflow, all as real processes.</summary>
public abstract class EndToEndTests(DurableCluster cluster, Database database)
{
    private const string Flow = """
        name: Release
        on: push
        env:
          PRODUCT: press
        jobs:
          fetch:
            run: |
              echo "fetching $PRODUCT"
              echo "revision=r-42" >> "$BROKER_OUTPUT"
          left:
            needs: fetch
            run: |
              grep -o 'r-42' "$BROKER_UPSTREAM"
              echo "side=l" >> "$BROKER_OUTPUT"
          right:
            needs: fetch
            run: |
              grep -o 'r-42' "$BROKER_UPSTREAM"
              echo "side=r" >> "$BROKER_OUTPUT"
          join:
            needs: [left, right]
            run: cat "$BROKER_UPSTREAM"
          labelled:
            needs: fetch
            labels: [gpu]
            run: echo "on $WHO"
          breaks:
            run: |
              echo "out of paper" >&2
              exit 3
          never:
            needs: breaks
            run: echo "never"
          never-either:
            needs: [never, join]
            run: echo "never"
        """;

    private static readonly TimeSpan Backoff = TimeSpan.FromSeconds(1);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_release_runs_through_real_workers()
    {
        using var scratch = new TempFolder();
        await using var site = await Site.OpenAsync(database, cluster.Postgres, workflow: Flow);
        using var live = await site.Http.GetStreamAsync(new Uri("/api/workflows/flow/jobs/join/logs/stream", UriKind.Relative), Ct);
        var tries = Path.Combine(scratch.Path, "tries");
        var flaky = await site.Http.DefineAsync(Ct, Wire.Job(
            "flaky",
            $"echo try >> {tries}; echo \"attempt $BROKER_ATTEMPT\"; [ $(wc -l < {tries}) -eq 2 ]",
            more: ""","retry_policy":{"max_retries":3,"backoff":{"Fixed":{"delay_secs":1}}}"""));
        foreach (var workflow in (string[])["flow", flaky]) await site.Http.MustPostAsync($"/api/workflows/{workflow}/run", "", Ct);

        await using var plain = ShellWorker.Start(site.Broker.Address, "plain", "--slots", "4");
        await EndedAsync(site, flaky, "flaky=success");
        await EndedAsync(site, "flow", "fetch=success left=success right=success join=success labelled=queued breaks=failure never=skipped never-either=skipped");
        await using var gpu = ShellWorker.Start(site.Broker.Address, "gpu", "--labels", "gpu");
        await EndedAsync(site, "flow", "fetch=success left=success right=success join=success labelled=success breaks=failure never=skipped never-either=skipped");

        var jobs = await site.Http.JobsAsync("flow", Ct);
        Assert.All(jobs.Values, j => Assert.Equal(0, (int)j["attempt"]!));
        Assert.Equal("exit code 3: out of paper\n", (string?)jobs["breaks"]["output"]);
        Assert.Equal("fetching press\n", await LogAsync(site, "flow", "fetch"));
        Assert.Equal("r-42\n", await LogAsync(site, "flow", "left"));
        Assert.Equal("on gpu\n", await LogAsync(site, "flow", "labelled"));
        var joined = await LogAsync(site, "flow", "join");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"left":{"side":"l"},"right":{"side":"r"}}"""), JsonNode.Parse(joined)), joined);
        Assert.Equal(joined, await StreamedAsync(live, joined.Length));

        Assert.Equal(1, (int)(await site.Http.JobsAsync(flaky, Ct))["flaky"]["attempt"]!);
        var attempts = await ChunksAsync(site, flaky, "flaky");
        Assert.Equal(["attempt 0\n", "attempt 1\n"], attempts.Select(a => (string)a!["data"]!));
        var pause = TimeSpan.FromMilliseconds((long)attempts[1]!["timestamp_ms"]! - (long)attempts[0]!["timestamp_ms"]!);
        Assert.InRange(pause, Backoff, Backoff + TimeSpan.FromSeconds(10));
        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"second attempt {pause.TotalSeconds:0.00} s after the first, backoff {Backoff.TotalSeconds} s"));
        Assert.Equal(0, await gpu.StopAsync());
        Assert.Equal(0, await plain.StopAsync());
    }

    private static async Task EndedAsync(Site site, string workflow, string expected)
    {
        var statuses = "";
        try
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    statuses = string.Join(' ', (await site.Http.JobsAsync(workflow, Ct)).Select(j => $"{j.Key}={(string?)j.Value["status"]}"));
                    return statuses == expected;
                },
                TimeSpan.FromSeconds(30),
                expected);
        }
        finally
        {
            Effort.Print(statuses);
        }
    }

    private static async Task<JsonArray> ChunksAsync(Site site, string workflow, string job) =>
        (await site.Http.MustGetAsync($"/api/workflows/{workflow}/jobs/{job}/logs", Ct)).AsArray();

    private static async Task<string> LogAsync(Site site, string workflow, string job) =>
        string.Concat((await ChunksAsync(site, workflow, job)).Select(c => (string)c!["data"]!));

    private static async Task<string> StreamedAsync(Stream live, int length)
    {
        using var reader = new StreamReader(live);
        var seen = "";
        while (seen.Length < length && await reader.ReadLineAsync(Ct) is { } line)
        {
            if (line.StartsWith("data:", StringComparison.Ordinal)) seen += (string)JsonNode.Parse(line["data:".Length..])!["data"]!;
        }

        return seen;
    }
}

public sealed class PostgresEndToEndTests(DurableCluster cluster) : EndToEndTests(cluster, Database.Postgres);

public sealed class SqliteEndToEndTests(DurableCluster cluster) : EndToEndTests(cluster, Database.Sqlite);
