using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>An answer.</summary>
internal sealed record Reply(int Status, string? Type, string Text, HttpResponseHeaders Headers)
{
    public JsonNode Json => JsonNode.Parse(Text)!;
}

/// <summary>Requests with a key.</summary>
internal static class Calls
{
    /// <param name="client">To the broker.</param>
    /// <param name="key">Id of a test key, a whole key, or null for none.</param>
    /// <param name="method">HTTP method.</param>
    /// <param name="path">With its query.</param>
    /// <param name="body">JSON, or null for none.</param>
    public static async Task<Reply> CallAsync(this HttpClient client, string? key, string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (key is not null) request.Headers.Authorization = new("Bearer", key.StartsWith("brk_", StringComparison.Ordinal) ? key : TestKeys.Of(key));
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return new(
            (int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType,
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), answer.Headers);
    }

    /// <summary>A workflow of one step, which waits for an event first.</summary>
    public static string Definition(string name, string version = "1") =>
        $$$$"""{"workflow_id":"{{{{name}}}}","version":"{{{{version}}}}","steps":{"step":{},"gate":{"kind":"waitForEvent","event":"go"}}}""";

    /// <summary>Registers a worker of the broker dialect; returns its id.</summary>
    public static async Task<string> RegisterAsync(this HttpClient client, string key, params string[] workflows)
    {
        var reply = await client.CallAsync(key, "POST", "/worker/register", $"[{string.Join(',', workflows.Select(name => Definition(name)))}]");
        Assert.Equal(200, reply.Status);
        return reply.Json.GetValue<string>();
    }
}
