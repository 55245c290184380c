using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>An answer as it came.</summary>
internal sealed record Reply(int Status, string? ContentType, string Body)
{
    public JsonElement Json => JsonElement.Parse(Body);

    public string Text => Json.GetString()!;

    // The record's own would read the properties above, which not every body has.
    public override string ToString() => $"{Status} {ContentType} {Body}";
}

/// <summary>The broker dialect over HTTP, raw: requests are text, answers are text.</summary>
internal sealed class Wire(HttpClient http)
{
    public async Task<Reply> SendAsync(HttpMethod method, string path, byte[]? body)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        using var response = await http.SendAsync(request);
        return new((int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), await response.Content.ReadAsStringAsync());
    }

    public Task<Reply> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    public Task<Reply> PostAsync(string path, string body) => SendAsync(HttpMethod.Post, path, Encoding.UTF8.GetBytes(body));

    public async Task<string> RegisterAsync(params string[] schemas)
    {
        var reply = await PostAsync("/worker/register", $"[{string.Join(',', schemas)}]");
        Assert.True(reply.Status == 200, reply.Body);
        return reply.Text;
    }

    public async Task<string> DispatchAsync(string schema, string inputs = "{}")
    {
        var reply = await PostAsync("/workflow/dispatch", $$"""{"workflow":{{schema}},"inputs":{{inputs}}}""");
        Assert.True(reply.Status == 200, reply.Body);
        return reply.Text;
    }

    /// <summary>The next assignment, null for 204. <paramref name="more"/> goes into the query.</summary>
    public async Task<JsonElement?> ClaimAsync(string worker, string more = "")
    {
        var reply = await GetAsync($"/workflow/step?worker_id={worker}{more}");
        if (reply.Status == 204) return null;
        Assert.True(reply.Status == 200, reply.Body);
        return reply.Json;
    }

    /// <summary>The name of the next step, null when there is none.</summary>
    public async Task<string?> ClaimNameAsync(string worker) => (await ClaimAsync(worker))?.GetProperty("step_name").GetString();

    public async Task<JsonElement> MustClaimAsync(string worker, string more = "")
    {
        var claimed = await ClaimAsync(worker, more);
        Assert.NotNull(claimed);
        return claimed.Value;
    }

    public Task<Reply> ReportAsync(string worker, JsonElement step, string state, string result = "null", string more = "") =>
        PostAsync($"/workflow/step?worker_id={worker}", Report(step, state, result, more));

    /// <summary>Claims the next step, which must be that one, and reports it.</summary>
    public async Task RunAsync(string worker, string name, string state = "SUCCEEDED", string result = "null")
    {
        var step = await MustClaimAsync(worker);
        Assert.Equal(name, step.GetProperty("step_name").GetString());
        Assert.Equal(204, (await ReportAsync(worker, step, state, result)).Status);
    }

    /// <summary>The body of a report on an assignment; <paramref name="more"/> is further members, each with a comma before it.</summary>
    public static string Report(JsonElement step, string state, string result = "null", string more = "") =>
        $$"""{{Key(step)[..^1]}},"state":"{{state}}","result":{{result}}{{more}}}""";

    public static string Key(JsonElement step) =>
        $$"""{"workflow_id":{{Raw(step, "workflow_id")}},"instance_id":{{Raw(step, "instance_id")}},"step_name":{{Raw(step, "step_name")}}}""";

    private static string Raw(JsonElement owner, string member) => owner.GetProperty(member).GetRawText();
}
