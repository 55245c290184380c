using System.Globalization;
using System.Text.Json;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Tests.Operators;

/// <summary>The API for operators over HTTP, and runs of other dialects to look at.</summary>
internal sealed class OperatorWire(HttpClient client)
{
    public Wire Wire { get; } = new(client);

    /// <summary>A workflow name that no other test has.</summary>
    public static string NewName(string stem) => Flows.NewName(stem);

    /// <summary>The answer to a GET, which must be a 200.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        var reply = await Wire.GetAsync($"/api/v1{path}");
        Assert.True(reply.Status == 200, $"{path}: {reply}");
        return reply.Json;
    }

    /// <summary>The problem that a GET is answered with.</summary>
    public async Task<JsonElement> ProblemAsync(string path, int status, string code) => Problem(await Wire.GetAsync($"/api/v1{path}"), status, code);

    /// <summary>The problem of an answer.</summary>
    public static JsonElement Problem(Reply reply, int status, string code)
    {
        Assert.Equal((status, "application/problem+json"), (reply.Status, reply.ContentType));
        Assert.Equal((code, $"urn:broker:problem:{code}", status), (Text(reply.Json, "code"), Text(reply.Json, "type"), reply.Json.GetProperty("status").GetInt32()));
        Assert.NotEmpty(Text(reply.Json, "request_id"));
        Assert.NotEmpty(Text(reply.Json, "detail"));
        return reply.Json;
    }

    /// <summary>Instances of a list, in its order.</summary>
    public async Task<IEnumerable<string>> InstancesAsync(string query) =>
        (await GetAsync($"/runs?{query}")).GetProperty("items").EnumerateArray().Select(run => Text(run, "instance"));

    /// <summary>Registers a workflow of that body for a new worker; returns the worker.</summary>
    public Task<string> RegisterAsync(string name, string steps) => Wire.RegisterAsync($$"""{"workflow_id":{{JsonSerializer.Serialize(name)}},"version":"1","steps":{{steps}}}""");

    /// <summary>Starts an instance.</summary>
    public async Task StartAsync(string workflow, string instance, string inputs = "{}")
    {
        var reply = await Wire.PostAsync($"/api/workflows/workflows/{Uri.EscapeDataString(workflow)}/instances", $$"""{"id":"{{instance}}","params":{{inputs}}}""");
        Assert.True(reply.Status == 200, reply.ToString());
    }

    public static string Text(JsonElement owner, string member) => owner.GetProperty(member).GetString()!;

    public static string At(string format, params object[] parts) => string.Format(CultureInfo.InvariantCulture, format, parts);
}
