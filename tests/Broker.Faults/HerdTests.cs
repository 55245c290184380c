using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>Many parked claims cost nothing, and thousands of steps that become due in one second are handed to them.</summary>
public sealed class HerdTests
{
    private static readonly TimeSpan IdleWindow = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ten_thousand_retries_come_due_at_once()
    {
        var (claimers, due) = (Effort.Of(200, 2_000), Effort.Of(1_000, 10_000));
        await using var postgres = DurableCluster.New("shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_utility=off");
        await using var site = await Site.OpenAsync(Database.Postgres, postgres);
        using var http = new HttpClient { BaseAddress = site.Broker.Address, Timeout = 2 * WaitLimit };
        var workflow = await site.Http.DefineAsync(Ct, Wire.Job("one", "true", more: ""","retry_policy":{"max_retries":3,"backoff":{"Fixed":{"delay_secs":3600}}}"""));
        await RetryAllAsync(site, workflow, due);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var (asked, done, failures, times) = (0, 0, new ConcurrentBag<HttpStatusCode>(), new ConcurrentBag<double>());
        var claiming = Enumerable.Range(0, claimers).Select(i => Task.Run(
            async () =>
            {
                for (var first = true; !stop.IsCancellationRequested;)
                {
                    Interlocked.Increment(ref asked);
                    var watch = Stopwatch.StartNew();
                    var (status, claimed) = await ParkAsync(http, $$"""{"worker_id":"p-{{i}}","labels":[],"lease_ttl_secs":600,"wait":{{(first ? 60 : 1)}}}""", stop.Token);
                    if ((int)status >= 500) failures.Add(status);
                    if (claimed is null) continue;

                    // The first was parked; from the second on there is work at once.
                    if (!first) times.Add(watch.Elapsed.TotalMilliseconds);
                    first = false;
                    (status, _) = await http.PostAsync($"/api/jobs/{(string?)claimed["lease"]!["lease_id"]}/complete", """{"outputs":{}}""", Ct);
                    if ((int)status >= 500) failures.Add(status);
                    if (status is HttpStatusCode.OK) Interlocked.Increment(ref done);
                }
            },
            Ct)).ToList();
        await Broker.Testing.Eventually.TrueAsync(() => Volatile.Read(ref asked) == claimers, WaitLimit, "all claims are sent");
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, Ct);
        await site.SqlAsync("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
        await site.SqlAsync("SELECT pg_stat_statements_reset()");
        await Task.Delay(IdleWindow, TimeProvider.System, Ct);
        var calls = (decimal)(await site.SqlAsync("SELECT sum(calls) FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"))!;
        var idle = (double)calls / IdleWindow.TotalSeconds;
        Assert.Equal(claimers, asked);

        var retried = (long)(await site.SqlAsync("""
            WITH at AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp() + interval '1 second') * 1000000)::bigint AS due),
                 come AS (UPDATE step s SET due = at.due, rank = at.due FROM at WHERE s.status = 1 RETURNING 1)
            SELECT count(*) FROM come
            """))!;
        Assert.Equal(due, retried);
        var began = Stopwatch.StartNew();
        try
        {
            await Broker.Testing.Eventually.TrueAsync(
                () =>
                {
                    if (claiming.Find(c => c.IsFaulted) is { } broken) throw broken.Exception!;
                    return Volatile.Read(ref done) >= due;
                },
                WaitLimit,
                "all are done");
        }
        finally
        {
            Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{done} of {due} done, {asked} claims sent"));
        }

        var took = began.Elapsed.TotalSeconds;
        await stop.CancelAsync();
        await Task.WhenAll(claiming);
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"{claimers} parked claims: {idle:0.0} queries/s. {due} retries due at once, done after {took:0.0} s; {times.Count} further claims: p50 {times.Percentile(50):0} ms, p99 {times.Percentile(99):0} ms; {failures.Count} answers with 5xx"));
        Assert.Empty(failures);
        Assert.Equal(due, done);
        Effort.Bound(idle <= 50, $"{idle:0} queries a second of parked claims are at most 50");
        Effort.Bound(times.Percentile(99) <= 500, "p99 of a claim is 500 ms");
    }

    /// <summary>Returns null when the test cancels the claim: not all waiting claims are needed.</summary>
    private static async Task<(HttpStatusCode Status, System.Text.Json.Nodes.JsonNode? Json)> ParkAsync(HttpClient http, string claim, CancellationToken ct)
    {
        try
        {
            return await http.PostAsync("/api/jobs/claim", claim, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return (HttpStatusCode.OK, null);
        }
    }

    /// <summary>Claims each step once and fails it, so that each waits for its retry.</summary>
    private static async Task RetryAllAsync(Site site, string workflow, int count)
    {
        for (var from = 0; from < count; from += 100)
        {
            var ids = string.Join(',', Enumerable.Range(from, 100).Select(i => $$"""{"id":"run-{{i}}"}"""));
            await site.Http.MustPostAsync($"/api/workflows/{workflow}/instances/batch", $$"""{"instances":[{{ids}}]}""", Ct);
        }

        for (var failed = 0; failed < count;)
        {
            var claimed = (await site.Http.MustPostAsync("/api/jobs/claim", """{"worker_id":"f","labels":[],"count":100,"lease_ttl_secs":600}""", Ct)).AsArray();
            Assert.NotEmpty(claimed);
            await Task.WhenAll(claimed.Select(c => site.Http.MustPostAsync($"/api/jobs/{(string?)c!["lease"]!["lease_id"]}/fail", """{"error":"busy","retryable":true}""", Ct)));
            failed += claimed.Count;
        }
    }
}
