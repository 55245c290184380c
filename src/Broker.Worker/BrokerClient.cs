using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Broker.Worker;

/// <summary>The broker cannot answer now: asking again later may help.</summary>
internal sealed class BrokerUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The broker will not take this request, however often it is sent.</summary>
internal sealed class BrokerRefusedException(HttpStatusCode status) : Exception($"{(int)status} {status}")
{
    public HttpStatusCode Status { get; } = status;
}

/// <summary>The HTTP calls of a worker, one method a call, no retries.</summary>
internal sealed class BrokerClient : IDisposable
{
    private const string Claims = "jobs/claim";
    private const string Drain = "Broker-Drain";

    private readonly HttpClient http;
    private readonly string root;
    private readonly WorkerOptions options;
    private readonly TimeSpan timeout;
    private volatile bool noBatchReports;
    private volatile bool noBatchHeartbeats;
    private volatile bool isDrained;

    public BrokerClient(WorkerOptions options, WorkerTimings timings)
    {
        this.options = options;
        timeout = timings.Request;
        root = options.Server.AbsoluteUri.TrimEnd('/') + "/api/";
        // Lifetime: a broker that moved to another address is found again. No redirects: the key goes to the named server only.
        var handler = new SocketsHttpHandler
        {
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            ConnectTimeout = TimeSpan.FromSeconds(5),
            AllowAutoRedirect = false,
        };
        http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        if (options.ApiKey is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.ApiKey);
    }

    /// <summary>False once the broker has shown that it takes one report or heartbeat a request only.</summary>
    public bool BatchReports => !noBatchReports;
    public bool BatchHeartbeats => !noBatchHeartbeats;

    public Task RegisterAsync(CancellationToken ct) =>
        SendAsync(HttpMethod.Post, "workers/register", Json(new(options.Id, options.Labels), WireJson.Default.RegisterRequest), timeout, [], ct);

    /// <summary>An operator has drained this worker, as the last answer to a claim said: it gets no further jobs until that is taken back.</summary>
    public bool IsDrained => isDrained;

    /// <summary>A new claim under a fresh id. A caller that gets no answer sends the same claim again.</summary>
    public JobClaim ClaimFor(int count, int waitSecs) =>
        new(options.Id, options.Labels, options.LeaseTtlSecs, count, waitSecs, Guid.NewGuid().ToString());

    public async Task<IReadOnlyList<Claim>> ClaimAsync(JobClaim request, CancellationToken ct)
    {
        var answer = await SendAsync(
            HttpMethod.Post, Claims, Json(request, WireJson.Default.JobClaim), timeout + TimeSpan.FromSeconds(request.Wait), [], ct);
        return Read(answer, body =>
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind switch
            {
                JsonValueKind.Null => [],
                JsonValueKind.Array => [.. json.RootElement.EnumerateArray().Select(ReadClaim)],
                _ => (IReadOnlyList<Claim>)[ReadClaim(json.RootElement)],
            };
        });
    }

    /// <summary>Null when the broker has no such endpoint.</summary>
    public async Task<ReportAnswer?> ReportBatchAsync(IReadOnlyList<JobResult> results, JobClaim? claim, CancellationToken ct)
    {
        var answer = await SendAsync(
            HttpMethod.Post, "jobs/complete", Json(new(results, claim), WireJson.Default.ReportRequest), timeout, NoSuchEndpoint, ct);
        if (IsMissing(answer))
        {
            noBatchReports = true;
            return null;
        }

        return Read(answer, body => JsonSerializer.Deserialize(body, WireJson.Default.ReportAnswer));
    }

    /// <summary>False when the lease is gone.</summary>
    public async Task<bool> ReportAsync(JobResult result, CancellationToken ct)
    {
        var (verb, body) = result.Outputs is { } outputs
            ? ("complete", Json(new(outputs, result.Summary), WireJson.Default.CompleteRequest))
            : ("fail", Json(new(result.Error ?? "", result.Retryable ?? true, result.Summary), WireJson.Default.FailRequest));
        var answer = await SendAsync(HttpMethod.Post, $"jobs/{Segment(result.LeaseId)}/{verb}", body, timeout, [HttpStatusCode.Conflict], ct);
        return answer.StatusCode != HttpStatusCode.Conflict;
    }

    public async Task<IReadOnlyList<LeaseState>> HeartbeatAsync(IReadOnlyList<string> leaseIds, CancellationToken ct)
    {
        if (BatchHeartbeats)
        {
            var answer = await SendAsync(
                HttpMethod.Post, "jobs/heartbeat", Json(new(leaseIds), WireJson.Default.HeartbeatRequest), timeout, NoSuchEndpoint, ct);
            if (!IsMissing(answer)) return Read(answer, body => JsonSerializer.Deserialize(body, WireJson.Default.HeartbeatAnswer)).Results;
            noBatchHeartbeats = true;
        }

        return await Task.WhenAll(leaseIds.Select(async id =>
        {
            var answer = await SendAsync(HttpMethod.Post, $"jobs/{Segment(id)}/heartbeat", null, timeout, [HttpStatusCode.Conflict], ct);
            return new LeaseState(id, answer.StatusCode != HttpStatusCode.Conflict);
        }));
    }

    public async Task<bool> IsCancelledAsync(ClaimedJob job, CancellationToken ct)
    {
        var answer = await SendAsync(
            HttpMethod.Get, $"jobs/{Segment(job.WorkflowId)}/{Segment(job.JobId)}/cancelled", null, timeout, [], ct);
        return Read(answer, body =>
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.True;
        });
    }

    /// <summary>False when the broker has no such endpoint; a lease that is gone counts as handed back.</summary>
    public async Task<bool> ReleaseAsync(string leaseId, CancellationToken ct)
    {
        var answer = await SendAsync(
            HttpMethod.Post, $"jobs/{Segment(leaseId)}/release", null, timeout, [.. NoSuchEndpoint, HttpStatusCode.Conflict], ct);
        return !IsMissing(answer);
    }

    public async Task PushLogsAsync(string leaseId, IReadOnlyList<LogChunk> chunks, CancellationToken ct)
    {
        var answer = await SendAsync(
            HttpMethod.Post, $"jobs/{Segment(leaseId)}/logs", Json(new(chunks), WireJson.Default.LogRequest), timeout, NoSuchEndpoint, ct);
        if (IsMissing(answer)) throw new BrokerRefusedException(answer.StatusCode);
    }

    public void Dispose() => http.Dispose();

    private static readonly HttpStatusCode[] NoSuchEndpoint = [HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed];

    private static bool IsMissing(Answer answer) => NoSuchEndpoint.Contains(answer.StatusCode);

    /// <summary>Returns 2xx and the expected statuses, throws for all others.</summary>
    private async Task<Answer> SendAsync(
        HttpMethod method, string path, HttpContent? body, TimeSpan timeout, HttpStatusCode[] expected, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, root + path) { Content = body };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(timeout);
        try
        {
            using var response = await http.SendAsync(request, limit.Token);
            if (response.IsSuccessStatusCode && path == Claims) isDrained = response.Headers.Contains(Drain);
            if (!response.IsSuccessStatusCode && !expected.Contains(response.StatusCode)) throw Failure(response.StatusCode);
            return new Answer(response.StatusCode, await response.Content.ReadAsByteArrayAsync(limit.Token));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new BrokerUnavailableException(e.Message, e);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new BrokerUnavailableException($"no answer in {timeout.TotalSeconds:0} s", e);
        }
    }

    // 401 and 403 end when the operator mends the key, and a proxy answers 404 while the broker behind it restarts. A worker that gave up on
    // these would lose finished work.
    private static Exception Failure(HttpStatusCode status) => (int)status is 401 or 403 or 404 or 408 or 425 or 429 or >= 500
        ? new BrokerUnavailableException($"{(int)status} {status}")
        : new BrokerRefusedException(status);

    private static T Read<T>(Answer answer, Func<byte[], T?> read)
    {
        try
        {
            return read(answer.Body) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new BrokerUnavailableException("an answer that cannot be read; is this a broker?", e);
        }
    }

    private static Claim ReadClaim(JsonElement element) =>
        element.Deserialize(WireJson.Default.Claim) ?? throw new JsonException("a claim that is null");

    private static ByteArrayContent Json<T>(T body, JsonTypeInfo<T> type) => new(JsonSerializer.SerializeToUtf8Bytes(body, type))
    {
        Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
    };

    private static string Segment(string text) => Uri.EscapeDataString(text);

    private sealed record Answer(HttpStatusCode StatusCode, byte[] Body);
}
