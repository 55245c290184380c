using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Broker.Faults.Harness;

/// <summary>Requests as text, answers as JSON.</summary>
internal static class Wire
{
    public static async Task<(HttpStatusCode Status, JsonNode? Json)> PostAsync(this HttpClient http, string path, string body, CancellationToken ct)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(path, UriKind.RelativeOrAbsolute), content, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        return (response.StatusCode, text.Length == 0 || !response.IsSuccessStatusCode ? null : JsonNode.Parse(text));
    }

    public static async Task<JsonNode> MustPostAsync(this HttpClient http, string path, string body, CancellationToken ct)
    {
        var (status, json) = await http.PostAsync(path, body, ct);
        Assert.True((int)status is >= 200 and < 300, $"POST {path}: {status}");
        return json ?? new JsonObject();
    }

    public static async Task<JsonNode> MustGetAsync(this HttpClient http, string path, CancellationToken ct)
    {
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative), ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        Assert.True(response.IsSuccessStatusCode, $"GET {path}: {response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>The jobs of a workflow by id.</summary>
    public static async Task<Dictionary<string, JsonNode>> JobsAsync(this HttpClient http, string workflow, CancellationToken ct) =>
        (await http.MustGetAsync($"/api/workflows/{workflow}/status", ct))["jobs"]!.AsArray().ToDictionary(j => (string)j!["id"]!, j => j!);

    /// <summary>A job for <c>POST /api/workflows</c>; <paramref name="needs"/> is a JSON list, <paramref name="more"/> begins with a comma.</summary>
    public static string Job(string id, string command, string needs = "[]", string more = "") => new JsonObject
    {
        ["id"] = id,
        ["name"] = id,
        ["status"] = "queued",
        ["command"] = command,
    }.ToJsonString()[..^1] + $$""","depends_on":{{needs}}{{more}}}""";

    public static async Task<string> DefineAsync(this HttpClient http, CancellationToken ct, params IReadOnlyList<string> jobs) =>
        (string)(await http.MustPostAsync("/api/workflows", $$"""{"name":"Faults","trigger":"test","jobs":[{{string.Join(',', jobs)}}]}""", ct))["id"]!;
}
