using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>One broker's clock is ten minutes ahead, the other's ten behind, workers' stamps are a day off: the database's clock decides.</summary>
public sealed class WrongClocksTests(DurableCluster cluster)
{
    private const int OffSecs = 600;
    private const string Folder = "/usr/lib";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Leases_sleeps_and_delays_end_in_time()
    {
        var library = Library();
        await using var site = await Site.OpenAsync(Database.Postgres, cluster.Postgres, new SiteOptions
        {
            Brokers = 2,
            Variables = i => new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = library,
                ["FAKETIME"] = string.Create(CultureInfo.InvariantCulture, $"{(i == 0 ? OffSecs : -OffSecs):+0;-0}"),
                ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
                ["DONT_FAKE_MONOTONIC"] = "1",

                // Its mending of waits by the monotonic clock breaks those of .NET: a blocking read with a time-out timed out at once.
                ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
            },
        });
        using var second = new HttpClient { BaseAddress = site.Brokers[1].Address };
        var offs = new[] { await OffAsync(site.Http), await OffAsync(second) };
        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"clocks are off by {offs[0]:0} s and {offs[1]:0} s"));
        Assert.InRange(offs[0], OffSecs - 30, OffSecs + 30);
        Assert.InRange(offs[1], -OffSecs - 30, -OffSecs + 30);

        var late = new List<(string What, double By)>();
        for (var i = 0; i < Effort.Of(1, 5); i++)
        {
            late.Add(("lease", await LeaseAsync(site.Http, second)));
            late.Add(("sleep", await SleepAsync(second, site.Http)));
            late.Add(("retry delay", await DelayAsync(second, site.Http)));
            late.Add(("retry delay", await DelayAsync(site.Http, second)));
        }

        foreach (var kind in late.GroupBy(l => l.What))
        {
            Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{kind.Key}: late by {kind.Min(l => l.By):0.00} to {kind.Max(l => l.By):0.00} s"));
        }

        // Early is never right. A clock that entered anywhere would show as minutes.
        Assert.All(late, l => Assert.InRange(l.By, -0.05, 30));
        Effort.Bound(late.TrueForAll(l => l.By <= 1), "all end within 1 s");
    }

    /// <summary>The reaper comes by once a second; that round is not lateness.</summary>
    private static async Task<double> LeaseAsync(HttpClient claimer, HttpClient heir)
    {
        await StartAsync(claimer, Wire.Job("one", "true", more: ""","max_retries":3"""));
        var asked = Stopwatch.StartNew();
        var (lease, _) = await ClaimAsync(claimer, leaseSecs: 2);
        var day = TimeProvider.System.GetUtcNow().AddDays(-1).ToUnixTimeMilliseconds();
        await claimer.MustPostAsync($"/api/jobs/{lease}/logs", $$"""{"chunks":[{"workflow_id":"w","job_id":"one","sequence":0,"data":"x","timestamp_ms":{{day}},"stream":"stdout"}]}""", Ct);
        var (next, _) = await ClaimAsync(heir, leaseSecs: 60);
        var took = asked.Elapsed.TotalSeconds;
        await EndAsync(heir, next);
        return Math.Max(took - 2 - 1, Math.Min(took - 2, 0));
    }

    private static async Task<double> SleepAsync(HttpClient starter, HttpClient claimer)
    {
        var name = $"nap-{Guid.NewGuid():N}";
        await starter.MustPostAsync("/worker/register", $$$"""
            [{"workflow_id":"{{{name}}}","version":"1","steps":{
              "nap":{"kind":"sleep","duration_ms":1500,"successors":{"default":["after"]} },"after":{"predecessors":["nap"],"command":"true"} } }]
            """, Ct);
        var watch = Stopwatch.StartNew();
        await starter.MustPostAsync($"/api/workflows/{name}/instances", """{"id":"one"}""", Ct);
        var started = watch.Elapsed;
        var (lease, _) = await ClaimAsync(claimer, leaseSecs: 60);
        var took = watch.Elapsed.TotalSeconds;
        await EndAsync(claimer, lease);
        return took < 1.5 ? took - 1.5 : Math.Max(took - started.TotalSeconds - 1.5, 0);
    }

    private static async Task<double> DelayAsync(HttpClient reporter, HttpClient heir)
    {
        await StartAsync(reporter, Wire.Job("one", "true", more: ""","retry_policy":{"max_retries":3,"backoff":{"Fixed":{"delay_secs":1}}}"""));
        var (lease, _) = await ClaimAsync(reporter, leaseSecs: 60);
        var watch = Stopwatch.StartNew();
        await reporter.MustPostAsync($"/api/jobs/{lease}/fail", """{"error":"no","retryable":true}""", Ct);
        var reported = watch.Elapsed;
        var (next, job) = await ClaimAsync(heir, leaseSecs: 60);
        var took = watch.Elapsed.TotalSeconds;
        Assert.Equal(1, (int)job["attempt"]!);
        await EndAsync(heir, next);
        return took < 1 ? took - 1 : Math.Max(took - reported.TotalSeconds - 1, 0);
    }

    private static async Task StartAsync(HttpClient http, string job)
    {
        var workflow = await http.DefineAsync(Ct, job);
        await http.MustPostAsync($"/api/workflows/{workflow}/run", "", Ct);
    }

    private static async Task<(string Lease, JsonNode Job)> ClaimAsync(HttpClient http, int leaseSecs)
    {
        var claimed = await http.MustPostAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":[],"lease_ttl_secs":{{leaseSecs}},"wait":40}""", Ct);
        return ((string)claimed["lease"]!["lease_id"]!, claimed["job"]!);
    }

    private static Task<JsonNode> EndAsync(HttpClient http, string lease) => http.MustPostAsync($"/api/jobs/{lease}/complete", """{"outputs":{}}""", Ct);

    private static async Task<double> OffAsync(HttpClient http)
    {
        using var answer = await http.GetAsync(new Uri("/livez", UriKind.Relative), Ct);
        return (answer.Headers.Date!.Value - TimeProvider.System.GetUtcNow()).TotalSeconds;
    }

    private static string Library()
    {
        var found = Directory.Exists(Folder) ? Directory.GetFiles(Folder, "libfaketimeMT.so.1", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2, IgnoreInaccessible = true }) : [];
        if (found.Length > 0) return found[0];
        Effort.Lacks("No libfaketime: install it (apt-get install faketime).");
        return "";
    }
}
