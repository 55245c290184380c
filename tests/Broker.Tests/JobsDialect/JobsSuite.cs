using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>An answer as it came: an answer without a body has no content type.</summary>
public sealed record Answer(int Status, string Body, string? ContentType)
{
    /// <summary>A header of it, or null; empty in answers of the plain calls.</summary>
    public string? Header(string name) => Headers?.TryGetValues(name, out var values) is true ? string.Join(',', values) : null;

    public System.Net.Http.Headers.HttpResponseHeaders? Headers { get; init; }

    public JsonNode? Json => JsonNode.Parse(Body);
}

/// <summary>
/// Base of the suites. Every test puts a label of its own on its jobs. Tests therefore share a broker and never claim each other's jobs.
/// </summary>
public abstract class JobsSuite(IJobsBroker broker)
{
    protected string Label { get; } = Guid.NewGuid().ToString("N");

    protected IJobsBroker Broker => broker;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    protected Task<Answer> PostAsync(string path, string? body = null, string? type = "application/json") => SendAsync(HttpMethod.Post, path, body, type);

    /// <summary>The path goes out as it is written here.</summary>
    protected async Task<Answer> SendAsync(HttpMethod method, string path, string? body = null, string? type = "application/json")
    {
        var raw = new Uri(broker.Address.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(method, raw);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (type is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        using var response = await broker.Http.SendAsync(request, Ct);
        return new((int)response.StatusCode, await response.Content.ReadAsStringAsync(Ct), response.Content.Headers.ContentType?.ToString());
    }

    /// <summary>With headers, <c>NAME: VALUE</c> each; the answer's are kept.</summary>
    protected async Task<Answer> CallAsync(HttpMethod method, string path, string? body, params string[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(broker.Address, path));
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        foreach (var header in headers) request.Headers.TryAddWithoutValidation(header[..header.IndexOf(':', StringComparison.Ordinal)], header[(header.IndexOf(':', StringComparison.Ordinal) + 2)..]);
        using var response = await broker.Http.SendAsync(request, Ct);
        return new((int)response.StatusCode, await response.Content.ReadAsStringAsync(Ct), response.Content.Headers.ContentType?.ToString()) { Headers = response.Headers };
    }

    /// <summary>A job of this test: <paramref name="needs"/> separated by blanks.</summary>
    protected string Job(string id, string needs = "", int retries = 0, string more = "") =>
        $$"""{"id":"{{id}}","name":"{{id}}","status":"queued","command":"make {{id}}","depends_on":{{Names(needs)}},"required_labels":["{{Label}}"],"max_retries":{{retries.ToString(CultureInfo.InvariantCulture)}}{{more}}}""";

    protected async Task<string> DefineAsync(params string[] jobs)
    {
        var answer = await PostAsync("/api/workflows", $$"""{"name":"Release","trigger":"on: push","jobs":[{{string.Join(',', jobs)}}]}""");
        Assert.Equal(201, answer.Status);
        return (string)answer.Json!["id"]!;
    }

    protected async Task<string> RunningAsync(params string[] jobs)
    {
        var id = await DefineAsync(jobs);
        await RunAsync(id);
        return id;
    }

    protected async Task RunAsync(string id) => Assert.Equal(202, (await PostAsync($"/api/workflows/{id}/run")).Status);

    protected async Task CancelAsync(string id) => Assert.Equal(202, (await PostAsync($"/api/workflows/{id}/cancel")).Status);

    protected string ClaimText(int ttl = 30, string worker = "w-1", string more = "") =>
        $$"""{"worker_id":"{{worker}}","labels":["{{Label}}"],"lease_ttl_secs":{{ttl.ToString(CultureInfo.InvariantCulture)}}{{more}}}""";

    /// <summary>A claimed job, or null.</summary>
    protected async Task<JsonNode?> ClaimAsync(int ttl = 30, string worker = "w-1")
    {
        var answer = await PostAsync("/api/jobs/claim", ClaimText(ttl, worker));
        Assert.Equal(200, answer.Status);
        return answer.Json;
    }

    protected async Task<(string Job, string Lease)> MustClaimAsync(int ttl = 30, string worker = "w-1")
    {
        var claimed = await ClaimAsync(ttl, worker);
        Assert.NotNull(claimed);
        return ((string)claimed["job"]!["job_id"]!, (string)claimed["lease"]!["lease_id"]!);
    }

    protected async Task<int> CompleteAsync(string lease, string outputs = "{}") =>
        (await PostAsync($"/api/jobs/{lease}/complete", $$"""{"outputs":{{outputs}}}""")).Status;

    protected async Task<int> FailAsync(string lease, bool retryable = true, string error = "exit code 1: ") =>
        (await PostAsync($"/api/jobs/{lease}/fail", $$"""{"error":{{JsonSerializer.Serialize(error)}},"retryable":{{(retryable ? "true" : "false")}}}""")).Status;

    protected async Task<JsonNode> JobAsync(string workflow, string job) =>
        (await GetAsync($"/api/workflows/{workflow}/status")).Json!["jobs"]!.AsArray().Single(j => (string)j!["id"]! == job)!;

    /// <summary><c>compile=success publish=queued</c></summary>
    protected async Task<string> StatusesAsync(string workflow)
    {
        var answer = await GetAsync($"/api/workflows/{workflow}/status");
        Assert.Equal(200, answer.Status);
        return string.Join(' ', answer.Json!["jobs"]!.AsArray().Select(j => $"{(string)j!["id"]!}={(string)j["status"]!}"));
    }

    private static string Names(string names) =>
        $"[{string.Join(',', names.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => $"\"{n}\""))}]";
}
