using System.Text.Json.Nodes;

namespace Broker.Faults.Harness;

/// <summary>A route as the broker's own document describes it.</summary>
internal sealed record ApiOperation(string Method, string Path, IReadOnlyList<string> Query, string? Example, bool Streams, bool Waits)
{
    public static async Task<IReadOnlyList<ApiOperation>> ReadAllAsync(HttpClient http, CancellationToken ct)
    {
        JsonNode[] documents = [await http.MustGetAsync("/openapi.json", ct), await http.MustGetAsync("/openapi-aliases.json", ct)];
        return
        [
            .. from document in documents
               from path in document["paths"]!.AsObject()
               from operation in path.Value!.AsObject()
               where operation.Value is JsonObject
               select Of(path.Key, operation.Key.ToUpperInvariant(), operation.Value!),
        ];
    }

    private static ApiOperation Of(string path, string method, JsonNode operation)
    {
        var query = (operation["parameters"]?.AsArray() ?? []).Where(p => (string?)p!["in"] == "query").Select(p => (string)p!["name"]!).ToList();
        var body = operation["requestBody"]?["content"]?["application/json"];
        var example = body?["example"] ?? body?["examples"]?.AsObject().FirstOrDefault().Value?["value"];
        var streams = operation["responses"]!.AsObject().Any(answer => answer.Value!["content"] is JsonObject content && content.ContainsKey("text/event-stream"));

        // A client of these may have to wait for a run to end, or for a step to come.
        var waits = path.EndsWith("/workflows/{name}/run", StringComparison.Ordinal) || path is "/workflow/step" or "/api/jobs/claim" or "/api/jobs/complete";
        return new(method, path, query, example?.ToJsonString(), streams, waits);
    }
}
