using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Broker.Tests.InstancesDialect;

/// <summary>Where a client of some age puts the instances of a workflow (instances contract 1).</summary>
public enum PathStyle
{
    Documented,
    Flat,
    AtRoot,
}

/// <summary>An answer: its status and its body as JSON.</summary>
internal sealed record Answer(HttpStatusCode Status, string Text)
{
    public JsonElement Json => JsonElement.Parse(Text);

    public string? Code => Json.TryGetProperty("code", out var code) ? code.GetString() : null;

    public JsonElement this[string name] => Json.GetProperty(name);

    public bool Has(string name) => Json.TryGetProperty(name, out _);

    public Answer Expect(HttpStatusCode status, string? code = null)
    {
        Assert.True(Status == status && Code == code, $"expected {(int)status} {code}, got {(int)Status}: {Text}");
        return this;
    }
}

/// <summary>
/// Behaves like the command line client (instances contract 2.1, 11): paths and values percent-encoded, undefined members dropped,
/// every 5xx and 429 tried three times. A server error of ours would therefore show as <see cref="Retries"/>.
/// </summary>
internal sealed class CliClient(HttpClient http, PathStyle style = PathStyle.Documented)
{
    private const int MaxRetries = 2;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(15);

    public int Retries { get; private set; }

    public Task<Answer> WorkflowsAsync() => SendAsync(HttpMethod.Get, style is PathStyle.Flat ? "/api/workflows/" : "/api/workflows/workflows");

    public Task<Answer> CreateAsync(string workflow, string? id = null, string? paramsJson = null)
    {
        string?[] members = [id is null ? null : $"\"id\":{JsonSerializer.Serialize(id)}", paramsJson is null ? null : $"\"params\":{paramsJson}"];
        return PostAsync(workflow, "", $"{{{string.Join(',', members.OfType<string>())}}}");
    }

    public Task<Answer> BatchAsync(string workflow, string body) => PostAsync(workflow, "/batch", body);

    public Task<Answer> ListAsync(string workflow, string query = "") => GetAsync(workflow, query);

    public Task<Answer> DetailsAsync(string workflow, string id) => GetAsync(workflow, "/" + Uri.EscapeDataString(id));

    public Task<Answer> HistoryAsync(string workflow, string id, string query = "") => GetAsync(workflow, $"/{Uri.EscapeDataString(id)}/history{query}");

    /// <summary>pause, resume, restart, terminate.</summary>
    public Task<Answer> SteerAsync(string workflow, string id, string action) => PostAsync(workflow, $"/{Uri.EscapeDataString(id)}/{action}", null);

    public Task<Answer> EventAsync(string workflow, string id, string type, string? payloadJson = null) =>
        PostAsync(workflow, $"/{Uri.EscapeDataString(id)}/events", payloadJson is null ? $$"""{"type":"{{type}}"}""" : $$"""{"type":"{{type}}","payload":{{payloadJson}}}""");

    public async Task<string> StatusAsync(string workflow, string id) =>
        (await DetailsAsync(workflow, id)).Expect(HttpStatusCode.OK)["details"].GetProperty("status").GetString()!;

    public Task<Answer> GetAsync(string workflow, string rest) => SendAsync(HttpMethod.Get, Instances(workflow) + rest);

    public Task<Answer> PostAsync(string workflow, string rest, string? body) => SendAsync(HttpMethod.Post, Instances(workflow) + rest, body);

    public async Task<Answer> SendAsync(HttpMethod method, string path, string? body = null)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeLimit);
            using var response = await http.SendAsync(request, limit.Token);
            var text = await response.Content.ReadAsStringAsync(limit.Token);
            if (attempt == MaxRetries || ((int)response.StatusCode < 500 && response.StatusCode is not HttpStatusCode.TooManyRequests))
            {
                Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
                return new(response.StatusCode, text);
            }

            Retries++;
            await Task.Delay(RetryDelay, TimeProvider.System, limit.Token);
        }
    }

    private string Instances(string workflow) => style switch
    {
        PathStyle.Documented => $"/api/workflows/workflows/{Uri.EscapeDataString(workflow)}/instances",
        PathStyle.Flat => $"/api/workflows/{Uri.EscapeDataString(workflow)}/instances",
        PathStyle.AtRoot => $"/workflows/{Uri.EscapeDataString(workflow)}/instances",
    };
}
