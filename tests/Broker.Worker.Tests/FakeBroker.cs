using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Broker.Testing;

namespace Broker.Worker.Tests;

internal sealed record Report(bool Ok, JsonObject? Outputs, string? Error, bool? Retryable, string? Summary);

internal sealed record Request(string Method, string Path, string Body, string? Authorization, long At);

/// <summary>The worker's side of the jobs contract over plain HTTP; it remembers everything and can be made to misbehave.</summary>
internal sealed class FakeBroker : IDisposable
{
    private readonly Lock gate = new();
    private readonly LinkedList<JsonObject> queue = [];
    private readonly int port = LoopbackPort.Choose();
    private HttpListener listener;
    private readonly Dictionary<string, string> claims = [];
    private int leases;

    // A clock of its own: workers must not compare it with theirs.
    private const long GrantedAtMs = 1769000000450;
    private string? loseAnswerTo;

    public FakeBroker(bool start = true)
    {
        listener = NewListener();
        if (start) Start();
    }

    /// <summary>Batch reports and heartbeats, release, <c>wait</c> and <c>count</c>.</summary>
    public bool Extended { get; set; } = true;

    /// <summary>Limit of an attempt, in milliseconds; null: none.</summary>
    public int? AttemptMs { get; set; }

    /// <summary>Answered to everything while set.</summary>
    public HttpStatusCode? Down { get; set; }

    /// <summary>Answered to reports with a summary while set.</summary>
    public HttpStatusCode? RefuseSummaries { get; set; }

    /// <summary>Answered to reports with outputs while set.</summary>
    public HttpStatusCode? RefuseOutputs { get; set; }

    /// <summary>Carries out the next request to this path and then closes the connection instead of answering.</summary>
    public string? LoseAnswerTo
    {
        get => Volatile.Read(ref loseAnswerTo);
        set => Volatile.Write(ref loseAnswerTo, value);
    }

    public Uri Address => new($"http://localhost:{port}/prefix/");
    public ConcurrentQueue<Request> Requests { get; } = new();
    public ConcurrentDictionary<string, Report> Reports { get; } = new();
    public ConcurrentDictionary<string, bool> Released { get; } = new();
    public ConcurrentDictionary<string, bool> Lost { get; } = new();
    public ConcurrentDictionary<string, bool> Cancelled { get; } = new();
    public ConcurrentQueue<JsonObject> Logs { get; } = new();

    public IEnumerable<Request> To(string path) => Requests.Where(r => r.Path == path);

    public string Output(string job) => string.Concat(
        Logs.Where(c => (string?)c["job_id"] == job).Select(c => (string?)c["data"]));

    /// <summary>A job with steps and the text that workers without steps run.</summary>
    public void AddSteps(string job, params (string? Name, string Run)[] steps) => Add(job, "exit 99", steps: new JsonArray([.. steps.Select(s =>
    {
        var step = new JsonObject { ["run"] = s.Run };
        if (s.Name is not null) step["name"] = s.Name;
        return (JsonNode)step;
    })]));

    public void Add(
        string job, string command, string upstream = "{}", int attempt = 0, string? traceparent = null, JsonArray? steps = null, JsonObject? env = null, string? inputs = null)
    {
        var node = new JsonObject
        {
            ["job_id"] = job,
            ["workflow_id"] = "wf",
            ["command"] = command,
            ["required_labels"] = new JsonArray(),
            ["retry_policy"] = new JsonObject { ["max_retries"] = 1, ["backoff"] = "None" },
            ["attempt"] = attempt,
            ["upstream_outputs"] = JsonNode.Parse(upstream),
            ["enqueued_at_ms"] = 1769000000000,
            ["delayed_until_ms"] = 0,
        };
        if (traceparent is not null) node["traceparent"] = traceparent;
        if (steps is not null) node["steps"] = steps;
        if (env is not null) node["env"] = env;
        if (inputs is not null) (node["inputs"], node["run"], node["instance_id"]) = (JsonNode.Parse(inputs), 3, "nightly");
        lock (gate) queue.AddLast(node);
    }

    public async Task<Report> ReportOf(string job)
    {
        await Eventually.True(() => Reports.ContainsKey(job), $"a report of {job}");
        return Reports[job];
    }

    /// <summary>For commands that print a process id as their first line.</summary>
    public async Task<int> PidPrintedBy(string job)
    {
        await Eventually.True(() => Output(job).Contains('\n', StringComparison.Ordinal), $"output of {job}");
        return int.Parse(Output(job).Split('\n')[0], CultureInfo.InvariantCulture);
    }

    public void Start()
    {
        listener.Start();
        _ = ServeAsync(listener);
    }

    public void Stop()
    {
        listener.Abort();
        listener = NewListener();
    }

    public void Dispose() => listener.Abort();

    private HttpListener NewListener() => new() { Prefixes = { $"http://localhost:{port}/" } };

    private async Task ServeAsync(HttpListener listener)
    {
        try
        {
            while (true)
            {
                var context = await listener.GetContextAsync();
                _ = Task.Run(() => AnswerAsync(context));
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            using var reader = new StreamReader(context.Request.InputStream);
            var body = await reader.ReadToEndAsync();
            var path = context.Request.RawUrl!.Replace("/prefix/api/", "", StringComparison.Ordinal);
            Requests.Enqueue(new(
                context.Request.HttpMethod, path, body, context.Request.Headers["Authorization"], Stopwatch.GetTimestamp()));

            var (status, answer) = Down is { } down ? (down, null) : await RouteAsync(path, body);
            if (LoseAnswerTo is { } lost && lost == path && ReferenceEquals(Interlocked.CompareExchange(ref loseAnswerTo, null, lost), lost))
            {
                context.Response.Abort();
                return;
            }

            context.Response.StatusCode = (int)status;
            if (answer is not null)
            {
                context.Response.ContentType = "application/json";
                await context.Response.OutputStream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(answer));
            }

            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException)
        {
        }
    }

    private async Task<(HttpStatusCode Status, string? Body)> RouteAsync(string path, string body)
    {
        var json = body.Length == 0 ? null : JsonNode.Parse(body)!.AsObject();
        return path.Split('/') switch
        {
            ["workers", "register"] => (HttpStatusCode.OK, null),
            ["jobs", "claim"] => (HttpStatusCode.OK, await ClaimAsync(json!)),
            ["jobs", "complete"] when Extended => CompleteBatch(json!),
            ["jobs", "heartbeat"] when Extended => (HttpStatusCode.OK, BeatBatch(json!)),
            ["jobs", var lease, "heartbeat"] => (Lost.ContainsKey(JobOf(lease)) ? HttpStatusCode.Conflict : HttpStatusCode.OK, null),
            ["jobs", var lease, "complete" or "fail"] => (Take(lease, json!) ? HttpStatusCode.OK : HttpStatusCode.Conflict, null),
            ["jobs", var lease, "logs"] => Keep(json!),
            ["jobs", var lease, "release"] when Extended => Released.TryAdd(JobOf(lease), true) ? (HttpStatusCode.OK, null) : (HttpStatusCode.Conflict, null),
            ["jobs", "wf", var job, "cancelled"] => (HttpStatusCode.OK, Cancelled.ContainsKey(Uri.UnescapeDataString(job)) ? "true" : "false"),
            _ => (HttpStatusCode.NotFound, null),
        };
    }

    private async Task<string> ClaimAsync(JsonObject request)
    {
        if (!Extended) return Grant(1) is [var single, ..] ? single!.ToJsonString() : "null";

        var time = Stopwatch.StartNew();
        var granted = GrantTo(request);
        while (granted.Count == 0 && time.Elapsed < TimeSpan.FromSeconds((int)request["wait"]!) && listener.IsListening)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            granted = GrantTo(request);
        }

        return granted.ToJsonString();
    }

    /// <summary>The same claim id again gets the same leases, while its claim was given any.</summary>
    private JsonArray GrantTo(JsonObject claim)
    {
        var id = (string)claim["claim_id"]!;
        lock (gate)
        {
            if (claims.TryGetValue(id, out var before)) return JsonNode.Parse(before)!.AsArray();
            var granted = Grant((int)claim["count"]!);
            if (granted.Count > 0) claims[id] = granted.ToJsonString();
            return granted;
        }
    }

    private JsonArray Grant(int count)
    {
        var granted = new JsonArray();
        lock (gate)
        {
            for (; granted.Count < count && queue.First is { } first; queue.RemoveFirst())
            {
                var job = (string)first.Value["job_id"]!;
                granted.Add(new JsonObject
                {
                    ["job"] = first.Value,
                    ["lease"] = new JsonObject
                    {
                        ["lease_id"] = $"L{++leases}-{Uri.EscapeDataString(job).Replace('%', '_')}",
                        ["job_id"] = job,
                        ["workflow_id"] = "wf",
                        ["worker_id"] = "w",
                        ["ttl_secs"] = 30,
                        ["granted_at_ms"] = GrantedAtMs,
                        ["deadline_ms"] = AttemptMs is { } limit ? GrantedAtMs + limit : null,
                    },
                });
            }
        }

        return granted;
    }

    private static string JobOf(string lease) => Uri.UnescapeDataString(lease[(lease.IndexOf('-', StringComparison.Ordinal) + 1)..].Replace('_', '%'));

    private bool Take(string lease, JsonObject result)
    {
        var job = JobOf(lease);
        return !Lost.ContainsKey(job) && Reports.TryAdd(job, new(
            !result.ContainsKey("error"), result["outputs"]?.AsObject(), (string?)result["error"], (bool?)result["retryable"], (string?)result["summary"]));
    }

    private (HttpStatusCode, string?) CompleteBatch(JsonObject request)
    {
        var results = request["results"]!.AsArray();
        if (RefuseSummaries is { } refusedSummary && results.Any(r => r!["summary"] is not null)) return (refusedSummary, null);
        if (RefuseOutputs is { } refused && results.Any(r => r!["outputs"] is JsonObject { Count: > 0 })) return (refused, null);

        var taken = results.Select(r => (JsonNode)new JsonObject
        {
            ["lease_id"] = (string)r!["lease_id"]!,
            ["accepted"] = Take((string)r["lease_id"]!, r.AsObject()),
        }).ToArray();
        var claimed = request["claim"] is JsonObject claim ? GrantTo(claim) : [];
        return (HttpStatusCode.OK, new JsonObject { ["results"] = new JsonArray(taken), ["claimed"] = claimed }.ToJsonString());
    }

    private string BeatBatch(JsonObject request) => new JsonObject
    {
        ["results"] = new JsonArray([.. request["lease_ids"]!.AsArray().Select(id => (JsonNode)new JsonObject
        {
            ["lease_id"] = (string)id!,
            ["alive"] = !Lost.ContainsKey(JobOf((string)id!)),
            ["cancelled"] = Cancelled.ContainsKey(JobOf((string)id!)),
        })]),
    }.ToJsonString();

    private (HttpStatusCode, string?) Keep(JsonObject request)
    {
        foreach (var chunk in request["chunks"]!.AsArray()) Logs.Enqueue(chunk!.AsObject());
        return (HttpStatusCode.OK, null);
    }
}
