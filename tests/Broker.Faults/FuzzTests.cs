using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>Random requests over all routes of a real broker: none may find a fault of its own, keep it busy, or leave something behind.</summary>
public abstract class FuzzTests(DurableCluster cluster, Database database)
{
    private const int Clients = 4;

    /// <summary>Stands for a status where the connection broke.</summary>
    private const int Cut = -1;

    // A busy machine may let everything wait; the limit finds answers that never come.
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(30);

    // These requests wait for another client's action; the fuzzer disconnects after this time.
    private static readonly TimeSpan Waiting = TimeSpan.FromMilliseconds(300);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_request_makes_the_broker_fail()
    {
        var requests = Effort.Of(2_000, 60_000);
        var seed = int.TryParse(Environment.GetEnvironmentVariable("BROKER_FUZZ_SEED"), CultureInfo.InvariantCulture, out var given) ? given
            : Effort.IsLong ? Random.Shared.Next() : 1;
        await using var site = await Site.OpenAsync(database, cluster.Postgres);
        var process = site.Broker.Id;

        // The first key would lock the fuzzer out.
        var operations = (await ApiOperation.ReadAllAsync(site.Http, Ct)).Where(operation => !(operation.Method == "POST" && operation.Path == "/api/v1/keys")).ToList();
        Assert.True(operations.Count > 50, "the description lists the routes");
        var fuzzer = new Fuzzer(seed, site.Broker.Address, operations, await PopulateAsync(site));

        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };
        var (statuses, reached, findings) = (new ConcurrentDictionary<int, int>(), new ConcurrentDictionary<string, bool>(), new ConcurrentQueue<string>());
        var (next, cuts, slowest, halfway) = (-1, 0, 0L, 0L);

        async Task<(int Status, string? Fault)> PlayAsync(HttpRequestMessage request, ApiOperation? operation)
        {
            using (request)
            {
                var began = Stopwatch.GetTimestamp();
                var answer = await SendAsync(http, request, operation);
                InterlockedMax(ref slowest, (long)Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                return answer;
            }
        }

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            for (var number = Interlocked.Increment(ref next); number < requests && findings.Count < 20; number = Interlocked.Increment(ref next))
            {
                if (number == requests / 2) halfway = Memory(site);
                var (request, operation, description) = fuzzer.Make(number);
                var (status, fault) = await PlayAsync(request, operation);
                if (status == Cut)
                {
                    // On a busy machine 2 of 60,000 lost their connection after six seconds, and were answered when they were sent again.
                    Interlocked.Increment(ref cuts);
                    (status, fault) = await PlayAsync(fuzzer.Make(number).Request, operation);
                }

                statuses.AddOrUpdate(status, 1, (_, count) => count + 1);
                if (operation is not null && status is >= 200 and < 300) reached[$"{operation.Method} {operation.Path}"] = true;
                if (fault is not null) findings.Enqueue($"{description}\n→ {status} {fault}");
            }
        }));

        var end = Memory(site);
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"seed {seed}: {statuses.Values.Sum()} requests on {operations.Count} operations ({reached.Count} with success), slowest {slowest} ms, {cuts} cut off once, memory {halfway / 1_000_000} MB halfway and {end / 1_000_000} MB at the end; statuses {string.Join(", ", statuses.OrderBy(s => s.Key).Select(s => $"{s.Key}: {s.Value}"))}"));
        Assert.True(findings.IsEmpty, string.Join("\n\n", findings));
        Assert.Empty(site.Broker.Output.Where(line => line.Contains("\"Level\":\"Error\"", StringComparison.Ordinal)).Select(line => $"seed {seed}: {line}"));
        Assert.True(reached.Count >= operations.Count / 3, $"{reached.Count} operations were reached");
        Assert.Equal("ok", (string?)(await site.Http.MustGetAsync("/readyz", Ct))["status"]);
        Assert.Equal(process, site.Broker.Id);
        if (Effort.IsLong) Assert.True(end <= (halfway * 5 / 4) + 32_000_000, $"memory grew from {halfway} to {end} bytes");
    }

    /// <summary>The status, and the fault of the answer; 0 where the client went away or got no answer.</summary>
    private static async Task<(int Status, string? Fault)> SendAsync(HttpClient http, HttpRequestMessage request, ApiOperation? operation)
    {
        var mayWait = operation is { Waits: true };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(mayWait ? Waiting : WaitLimit);
        try
        {
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            var status = (int)answer.StatusCode;
            if (answer.Content.Headers.ContentType?.MediaType is "text/event-stream" or "application/x-ndjson") return (status, null);
            var text = await answer.Content.ReadAsStringAsync(limit.Token);
            return (status, status < 500 || IsDocumented(request, answer, text) ? Leak(text) : text);
        }
        catch (OperationCanceledException) when (mayWait && !Ct.IsCancellationRequested)
        {
            return (0, null);
        }
        catch (OperationCanceledException) when (!Ct.IsCancellationRequested)
        {
            return (0, "no answer in time");
        }
        catch (HttpRequestException cut)
        {
            return (Cut, $"{cut.HttpRequestError} {cut.Message} {cut.InnerException?.Message}");
        }
    }

    /// <summary>
    /// The handlers dialect answers 500 for a body that is no object, and for the error of a failed run (handlers contract 2, 5, 7). The
    /// broker's own faults have another form. Kestrel answers 505 to a request line with a blank too many.
    /// </summary>
    private static bool IsDocumented(HttpRequestMessage request, HttpResponseMessage answer, string text) =>
        answer.StatusCode is HttpStatusCode.HttpVersionNotSupported
        || ((int)answer.StatusCode == 500
        && request.RequestUri!.AbsolutePath.TrimStart('/').Split('/')[0] is "workflows" or "events" or "results" or "handlers" or "agents"
        && answer.Content.Headers.ContentType?.MediaType is "text/plain" or "application/json"
        && !text.Contains("INTERNAL_SERVER_ERROR", StringComparison.Ordinal));

    /// <summary>Finds internals of the program in an answer.</summary>
    private static string? Leak(string text) =>
        text.Contains("   at ", StringComparison.Ordinal) || text.Contains("Npgsql", StringComparison.Ordinal) || text.Contains("SQLite", StringComparison.Ordinal) ? $"leaks: {text}" : null;

    /// <summary>Something behind every kind of name, so that requests get further than "not found".</summary>
    private static async Task<IReadOnlyList<string>> PopulateAsync(Site site)
    {
        const string Flow = """
            {"workflow_id":"flow","version":"1","events":{"Go":{}},"steps":{"a":{"name":"a","successors":{"default":["w"]}},
              "w":{"name":"w","kind":"waitForEvent","event":"Go","predecessors":["a"],"successors":{"default":["b"]}},"b":{"name":"b","predecessors":["w"]}}}
            """;
        const string Empty = """{"workflow_id":"empty","version":"1","steps":{}}""";
        using var content = new StringContent($"[{Flow},{Empty}]", Encoding.UTF8, "application/json");
        using var registered = await site.Http.PostAsync(new Uri("/worker/register", UriKind.Relative), content, Ct);
        var worker = JsonNode.Parse(await registered.Content.ReadAsStringAsync(Ct))!.GetValue<string>();
        var handler = (string)(await site.Http.MustPostAsync("/workflows/flow/run-nowait", "{}", Ct))["handler_id"]!;
        await site.Http.MustPostAsync("/api/workflows/flow/instances", """{"id":"order-7"}""", Ct);
        var jobs = await site.Http.DefineAsync(Ct, Wire.Job("one", "true"), Wire.Job("two", "true", """["one"]"""));
        await site.Http.MustPostAsync($"/api/workflows/{jobs}/run", "", Ct);
        var claimed = await site.Http.MustPostAsync("/api/jobs/claim", """{"worker_id":"fuzz","labels":[],"lease_ttl_secs":3600}""", Ct);
        await site.Http.MustPostAsync("/repository/register", """{"name":"repo","url":"u","workflows":[],"credentials":{}}""", Ct);
        using var schedule = new StringContent("""{"workflow":"empty","cron":"0 3 * * *"}""", Encoding.UTF8, "application/json");
        (await site.Http.PutAsync(new Uri("/api/v1/schedules/nightly", UriKind.Relative), schedule, Ct)).EnsureSuccessStatusCode().Dispose();
        return [worker, handler, jobs, (string)claimed["lease"]!["lease_id"]!, "flow", "empty", "order-7", "nightly", "one", "a", "Go", "repo", "fuzz", "default", "é ü", "\ud83d\ude00"];
    }

    private static long Memory(Site site)
    {
        var line = File.ReadLines($"/proc/{site.Broker.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    private static void InterlockedMax(ref long target, long value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
        {
            if (Interlocked.CompareExchange(ref target, value, seen) == seen) return;
        }
    }
}

public sealed class PostgresFuzzTests(DurableCluster cluster) : FuzzTests(cluster, Database.Postgres);

public sealed class SqliteFuzzTests(DurableCluster cluster) : FuzzTests(cluster, Database.Sqlite);
