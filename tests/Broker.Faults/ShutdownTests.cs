using System.Diagnostics;
using System.Globalization;
using System.Net;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>SIGTERM while clients wait for work and listen to streams.</summary>
public abstract class ShutdownTests(DurableCluster cluster, Database database)
{
    private const string Idle = """{"workflow_id":"idle","version":"1","steps":{"one":{"name":"one","predecessors":[],"successors":{}}}}""";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Waiting_clients_get_nothing_streams_end_and_a_restart_loses_nothing()
    {
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        var workflow = await site.Http.DefineAsync(Ct, Wire.Job("one", "true"), Wire.Job("two", "true", """["one"]"""), Wire.Job("three", "true", """["two"]"""));
        await site.Http.MustPostAsync($"/api/workflows/{workflow}/run", "", Ct);
        await CompleteAsync(site, await ClaimAsync(site, "one"), "one");
        var held = await ClaimAsync(site, "two");
        var worker = (string)(await site.Http.MustPostAsync("/worker/register", $"[{Idle}]", Ct))!;

        var claims = Enumerable.Range(0, 8).Select(i => site.Http.PostAsync("/api/jobs/claim", $$"""{"worker_id":"p-{{i}}","labels":[],"wait":60}""", Ct)).ToList();
        var polls = Enumerable.Range(0, 4).Select(_ => PollAsync(site, worker)).ToList();
        var streams = new List<Stream>();
        for (var i = 0; i < 3; i++)
            streams.Add(await site.Http.GetStreamAsync(new Uri($"/api/workflows/{workflow}/jobs/two/logs/stream", UriKind.Relative), Ct));
        for (var i = 0; i < 3; i++)
            streams.Add(await site.Http.GetStreamAsync(new Uri($"/events/{workflow}?sse=true&after_sequence=-1", UriKind.Relative), Ct));
        var listening = streams.Select(ToEndAsync).ToList();
        Assert.DoesNotContain(claims, c => c.IsCompleted);
        Assert.DoesNotContain(polls, p => p.IsCompleted);
        Assert.DoesNotContain(listening, l => l.IsCompleted);

        var watch = Stopwatch.StartNew();
        Assert.Equal(0, await site.Broker.StopAsync(Limit));
        var took = watch.Elapsed;
        Assert.All(await Task.WhenAll(claims), c => Assert.Equal((HttpStatusCode.OK, null), c));
        Assert.All(await Task.WhenAll(polls), p => Assert.Equal(HttpStatusCode.NoContent, p));
        await Task.WhenAll(listening).WaitAsync(Limit, Ct);
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture, $"{claims.Count + polls.Count} parked polls and {streams.Count} streams ended, exit code 0 after {took.TotalSeconds:0.00} s"));

        await site.Broker.RestartAsync();
        await CompleteAsync(site, held, "two");
        await CompleteAsync(site, await ClaimAsync(site, "three"), "three");
        Assert.All((await site.Http.JobsAsync(workflow, Ct)).Values, j => Assert.Equal("success 0", $"{(string?)j["status"]} {(int)j["attempt"]!}"));
    }

    private static async Task<string> ClaimAsync(Site site, string job)
    {
        var claimed = await site.Http.MustPostAsync("/api/jobs/claim", """{"worker_id":"w","labels":[],"lease_ttl_secs":60,"wait":5}""", Ct);
        Assert.Equal(job, (string?)claimed["job"]!["job_id"]);
        return (string)claimed["lease"]!["lease_id"]!;
    }

    private static async Task CompleteAsync(Site site, string lease, string output)
    {
        await site.Http.MustPostAsync($"/api/jobs/{lease}/complete", $$$"""{"outputs":{"of":"{{{output}}}"}}""", Ct);
    }

    private static async Task<HttpStatusCode> PollAsync(Site site, string worker)
    {
        using var answer = await site.Http.GetAsync(new Uri($"/workflow/step?worker_id={worker}&wait=60", UriKind.Relative), Ct);
        return answer.StatusCode;
    }

    private static async Task ToEndAsync(Stream stream)
    {
        await using (stream)
        {
            try
            {
                await stream.CopyToAsync(Stream.Null, Ct);
            }
            catch (Exception cut) when (cut is IOException or HttpRequestException)
            {
                // An event stream that is cut short must not look like one that is complete.
            }
        }
    }
}

public sealed class PostgresShutdownTests(DurableCluster cluster) : ShutdownTests(cluster, Database.Postgres);

public sealed class SqliteShutdownTests(DurableCluster cluster) : ShutdownTests(cluster, Database.Sqlite);
