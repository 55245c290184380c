using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Broker.Core.Schemas;

namespace Broker.Tests.App;

/// <summary>
/// The answers that the API document describes, by operation and status. Schemas are taken strictly: the document lets objects grow, here a
/// member that it does not name is a violation.
/// </summary>
internal sealed class DescribedAnswers
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "patch"];

    // Sent by the layers around the routes, each in the form of the dialect or as problem details.
    private static readonly int[] AnyForm = [401, 403, 405, 415, 429, 500, 503];

    private readonly List<Operation> operations = [];
    private readonly JsonNode components;
    private readonly ConcurrentDictionary<(Operation, int), JsonSchema> schemas = new();

    public DescribedAnswers(string document)
    {
        var root = JsonNode.Parse(document)!;
        Seal(root);
        components = root["components"]!["schemas"]!;
        foreach (var (path, item) in root["paths"]!.AsObject())
        {
            foreach (var method in Methods)
            {
                if (item![method] is { } operation) operations.Add(new(method.ToUpperInvariant(), path, operation["responses"]!.AsObject()));
            }
        }
    }

    /// <summary>Every JSON answer to a success that the document describes, as <c>GET /path 200</c>.</summary>
    public IEnumerable<string> Successes =>
        from operation in operations
        from response in operation.Responses
        where response.Key.StartsWith('2') && response.Value!["content"]?["application/json"] is not null
        select $"{operation.Method} {operation.Path} {response.Key}";

    /// <summary>Compares a JSON answer with its schema; null when the document does not describe the request.</summary>
    public Judgement? Judge(string method, string path, int status, ReadOnlyMemory<byte> body)
    {
        if (Find(method, path) is not { } operation) return null;
        var judged = new Judgement($"{operation.Method} {operation.Path} {status}", null);
        if (operation.Responses[$"{status}"] is not { } response)
            return AnyForm.Contains(status) ? null : judged with { Problem = "the document does not describe the status" };
        if (response["content"]?["application/json"]?["schema"] is not { } described)
            return AnyForm.Contains(status) ? null : judged with { Problem = "the document describes no JSON answer" };

        try
        {
            var answer = JsonElement.Parse(body.Span, new JsonDocumentOptions { MaxDepth = 1000 });
            var errors = schemas.GetOrAdd((operation, status), _ => Compile(described)).Validate(answer);
            return errors.Count == 0 ? judged : judged with { Problem = string.Join("; ", errors) };
        }
        catch (JsonException broken)
        {
            return judged with { Problem = $"the answer is not JSON: {broken.Message}" };
        }
    }

    private Operation? Find(string method, string path) => operations
        .Where(operation => operation.Method == method && operation.Matches(path))
        .OrderBy(operation => operation.Parameters)
        .FirstOrDefault();

    private JsonSchema Compile(JsonNode described)
    {
        var schema = described.DeepClone().AsObject();
        schema["$defs"] = components.DeepClone();
        var text = schema.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal);
        return JsonSchema.TryCompile(JsonElement.Parse(text), out var compiled, out var problems)
            ? compiled
            : throw new InvalidOperationException($"a schema of the document cannot be compiled: {string.Join("; ", problems)}");
    }

    private static void Seal(JsonNode? node)
    {
        switch (node)
        {
            case JsonArray list:
                foreach (var item in list) Seal(item);
                break;
            case JsonObject written:
                foreach (var (name, member) in written)
                {
                    // Examples are values: what they hold is no schema.
                    if (name is not ("example" or "examples")) Seal(member);
                }

                if (written["type"] is JsonValue && written["properties"] is JsonObject && written["additionalProperties"] is null or JsonValue)
                    written["additionalProperties"] = false;
                break;
        }
    }

    /// <summary>One method of one path of the document.</summary>
    private sealed record Operation(string Method, string Path, JsonObject Responses)
    {
        private readonly Regex template = new(
            $"^{Regex.Replace(Regex.Escape(Path), @"\\\{[^}]*}", "[^/]+")}$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);

        public int Parameters { get; } = Path.Count(c => c == '{');

        public bool Matches(string path) => template.IsMatch(path);
    }
}

/// <summary>An answer that was compared with its schema, as <c>GET /path 200</c>, and what is wrong with it; null when nothing is.</summary>
internal sealed record Judgement(string Answer, string? Problem);
