using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>The network loses answers after the broker has committed. A client that sends again under the same id gets the same answer.</summary>
public abstract class LostAnswersTests(DurableCluster cluster, Database database)
{
    private const int Team = 8;

    // 5 % are lost; in the short form more, or too few would be to prove anything.
    private static readonly int LosesOneIn = Effort.Of(5, 20);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_claim_that_is_sent_again_gets_the_same_lease_and_nothing_is_done_twice()
    {
        var jobs = Effort.Of(120, 5_000);
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        var workflow = await site.Http.DefineAsync(Ct, Wire.Job("only", "true"));
        foreach (var some in Enumerable.Range(0, jobs).Chunk(100))
        {
            var body = $$"""{"instances":[{{string.Join(',', some.Select(i => $$"""{"id":"r{{i}}"}"""))}}]}""";
            await site.Http.MustPostAsync($"/api/workflows/{workflow}/instances/batch", body, Ct);
        }

        // Only answers that carry a lease are lost.
        var random = new Dice();
        await using var proxy = new LossyProxy(
            site.Broker.Address, line => line.StartsWith("POST /api/jobs/claim", StringComparison.Ordinal) && random.IsOneIn(LosesOneIn));
        var done = new ConcurrentBag<string>();
        var recoveries = new ConcurrentBag<double>();
        await Task.WhenAll(Enumerable.Range(0, Team).Select(i => WorkAsync(proxy, $"w-{i}", done, recoveries)));

        // No retries are allowed: a lost lease would have failed its job, or delayed it until an unknown lease expired.
        Assert.Equal(jobs, done.Count);
        Assert.Equal(jobs, done.Distinct().Count());
        for (var i = 0; i < jobs; i++)
        {
            var details = await site.Http.MustGetAsync($"/api/workflows/{workflow}/instances/r{i}", Ct);
            Assert.Equal("complete", (string?)details["details"]!["status"]);
        }

        Assert.True(proxy.Lost > 0 && !recoveries.IsEmpty, "No answer was lost.");
        var sorted = recoveries.Order().ToList();
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"{proxy.Lost} of {proxy.Carried} claim answers lost, {jobs} jobs done once each; recovered after {sorted[sorted.Count / 2]:0} ms (median), {sorted[^1]:0} ms (longest), wanted 2,000"));
        if (Effort.IsLong) Assert.True(sorted[^1] <= 2_000);
    }

    [Fact]
    public async Task Reports_that_claim_and_are_sent_again_get_the_same_leases_in_the_jobs_dialect()
    {
        var jobs = Effort.Of(120, 2_000);
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        var workflow = await site.Http.DefineAsync(Ct, Wire.Job("only", "true"));
        foreach (var some in Enumerable.Range(0, jobs).Chunk(100))
            await site.Http.MustPostAsync($"/api/workflows/{workflow}/instances/batch", $$"""{"instances":[{{string.Join(',', some.Select(i => $$"""{"id":"r{{i}}"}"""))}}]}""", Ct);

        await ReportAndClaimAsync(site, jobs, async (proxy, worker, held) =>
        {
            var results = string.Join(',', held.Select(step => $$$"""{"lease_id":"{{{step.Lease}}}","outputs":{}}"""));
            var claim = $$"""{"worker_id":"{{worker}}","labels":[],"lease_ttl_secs":120,"count":2,"claim_id":"{{Guid.NewGuid():N}}"}""";
            var (answer, _, _) = await SendAsync(proxy, "/api/jobs/complete", $$$"""{"results":[{{{results}}}],"claim":{{{claim}}}}""");
            return [.. JsonNode.Parse(answer)!["claimed"]!.AsArray().Select(c => new LeasedStep((string)c!["lease"]!["lease_id"]!, (string)c["job"]!["workflow_id"]!))];
        });

        for (var i = 0; i < jobs; i++)
            Assert.Equal("complete", (string?)(await site.Http.MustGetAsync($"/api/workflows/{workflow}/instances/r{i}", Ct))["details"]!["status"]);
    }

    [Fact]
    public async Task Reports_that_claim_and_are_sent_again_get_the_same_leases_in_the_broker_dialect()
    {
        var runs = Effort.Of(120, 2_000);
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        const string Schema = """{"workflow_id":"once","version":"1","max_lease_losses":0,"steps":{"a":{"name":"a"}}}""";
        var ids = new ConcurrentDictionary<string, string>();
        for (var i = 0; i < Team; i++) ids[$"w-{i}"] = (string)(await site.Http.MustPostAsync("/worker/register", $"[{Schema}]", Ct))!;
        for (var i = 0; i < runs; i++) await site.Http.MustPostAsync("/workflow/dispatch", $$"""{"workflow":{{Schema}}}""", Ct);

        await ReportAndClaimAsync(site, runs, async (proxy, worker, held) =>
        {
            var reports = string.Join(',', held.Select(step =>
                $$"""{"workflow_id":"once","instance_id":"{{step.Run}}","step_name":"a","state":"SUCCEEDED","result":1,"lease_id":"{{step.Lease}}"}"""));
            var (answer, _, _) = await SendAsync(proxy, $"/workflow/step?worker_id={ids[worker]}&claim=2&extras=1&claim_id={Guid.NewGuid():N}", $"[{reports}]");
            return [.. JsonNode.Parse(answer)!["assignments"]!.AsArray().Select(c => new LeasedStep((string)c!["lease_id"]!, (string)c["instance_id"]!))];
        });

        var handlers = (await site.Http.MustGetAsync("/handlers?workflow_name=once&status=completed", Ct))["handlers"]!.AsArray();
        Assert.Equal(runs, handlers.Count);
    }

    /// <summary>Workers that report their steps and claim two more, until there are none: each run goes to one of them, once.</summary>
    private static async Task ReportAndClaimAsync(Site site, int runs, Func<LossyProxy, string, List<LeasedStep>, Task<List<LeasedStep>>> send)
    {
        var random = new Dice();
        await using var proxy = new LossyProxy(site.Broker.Address, _ => random.IsOneIn(LosesOneIn));
        var given = new ConcurrentBag<LeasedStep>();
        await Task.WhenAll(Enumerable.Range(0, Team).Select(async i =>
        {
            List<LeasedStep> held = [];
            do
            {
                held = await send(proxy, $"w-{i}", held);
                foreach (var step in held) given.Add(step);
            }
            while (held.Count > 0);
        }));

        Assert.Equal(runs, given.Count);
        Assert.Equal(runs, given.Select(step => step.Run).Distinct().Count());
        Assert.True(proxy.Lost > 0, "No answer was lost.");
        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{proxy.Lost} of {proxy.Carried} answers to reports with a claim lost, {given.Count} of {runs} steps given once each"));
    }

    /// <summary>A step that a worker holds.</summary>
    private readonly record struct LeasedStep(string Lease, string Run);

    [Fact]
    public async Task A_start_that_is_sent_again_starts_one_run()
    {
        var starts = Effort.Of(60, 2_000);
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        const string Schema = """{"workflow_id":"started","version":"1","steps":{"a":{"name":"a"}}}""";
        await site.Http.MustPostAsync("/worker/register", $"[{Schema}]", Ct);
        (string Path, Func<int, string> Body)[] routes =
        [
            ("/workflow/dispatch", i => $$$"""{"workflow":{{{Schema}}},"inputs":{"i":{{{i}}}}}"""),
            ("/workflows/started/run-nowait", i => $$$"""{"start_event":{"i":{{{i}}}}}"""),
            ("/api/workflows/started/instances", i => $$$"""{"params":{"i":{{{i}}}}}"""),
        ];

        var random = new Dice();
        await using var proxy = new LossyProxy(site.Broker.Address, _ => random.IsOneIn(LosesOneIn));
        var replayed = 0;
        var answers = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, starts), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Ct }, async (i, ct) =>
        {
            var (path, body) = routes[i % routes.Length];
            var (answer, _, again) = await SendAsync(proxy, path, body(i), $"start-{i}");
            if (again) Interlocked.Increment(ref replayed);
            answers.Add(answer);
        });

        var workflows = (await site.Http.MustGetAsync("/handlers?workflow_name=started", Ct))["handlers"]!.AsArray();
        Assert.Equal(starts, workflows.Count);
        Assert.Equal(starts, answers.Select(IdOf).Distinct().Count());
        Assert.True(proxy.Lost > 0, "No answer was lost.");
        Assert.Equal(proxy.Lost > 0, replayed > 0);
        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{proxy.Lost} of {proxy.Carried} answers to starts lost, {replayed} replayed, {workflows.Count} of {starts} runs there, 0 doubled"));
    }

    private static async Task WorkAsync(LossyProxy proxy, string worker, ConcurrentBag<string> done, ConcurrentBag<double> recoveries)
    {
        while (true)
        {
            var claim = $$"""{"worker_id":"{{worker}}","labels":[],"lease_ttl_secs":120,"claim_id":"{{Guid.NewGuid():N}}"}""";
            var (answer, lostFor, _) = await SendAsync(proxy, "/api/jobs/claim", claim);
            if (answer == "null") return;
            if (lostFor is { } time) recoveries.Add(time.TotalMilliseconds);
            var claimed = JsonNode.Parse(answer)!;
            Assert.Equal(0, (int)claimed["job"]!["attempt"]!);
            await SendAsync(proxy, $"/api/jobs/{claimed["lease"]!["lease_id"]}/complete", """{"outputs":{}}""");
            done.Add((string)claimed["job"]!["workflow_id"]!);
        }
    }

    /// <summary>Until there is an answer: its text, how long the first of them was missing, and whether the broker called it a replay.</summary>
    private static async Task<(string Answer, TimeSpan? LostFor, bool Replayed)> SendAsync(LossyProxy proxy, string path, string body, string? key = null)
    {
        // A connection for each request: the proxy carries one.
        using var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero };
        using var http = new HttpClient(handler) { BaseAddress = proxy.Address, Timeout = TimeSpan.FromSeconds(60) };
        Stopwatch? lost = null;
        while (true)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
                request.Headers.ConnectionClose = true;
                if (key is not null) request.Headers.Add("Idempotency-Key", key);
                using var answer = await http.SendAsync(request, Ct);
                var text = await answer.Content.ReadAsStringAsync(Ct);
                Assert.True(answer.StatusCode is HttpStatusCode.OK, $"{path}: {answer.StatusCode} {text}");
                return (text, lost?.Elapsed, answer.Headers.Contains("Idempotency-Replayed"));
            }
            catch (HttpRequestException)
            {
                lost ??= Stopwatch.StartNew();
            }
        }
    }

    private static string IdOf(string answer) => JsonNode.Parse(answer) is var json && json is JsonObject members
        ? (string)(members["handler_id"] ?? members["id"])!
        : (string)json!;

    private sealed class Dice
    {
        private readonly Random random = new();

        public bool IsOneIn(int sides)
        {
            lock (random) return random.Next(sides) == 0;
        }
    }
}

public sealed class PostgresLostAnswersTests(DurableCluster cluster) : LostAnswersTests(cluster, Database.Postgres);

public sealed class SqliteLostAnswersTests(DurableCluster cluster) : LostAnswersTests(cluster, Database.Sqlite);
