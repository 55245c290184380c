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

    // Others are the server's or of all answers alike.
    private static readonly string[] Headers = ["Accept-Encoding", "Idempotency-Replayed", "Location", "Retry-After", "WWW-Authenticate"];

    private readonly List<Operation> operations = [];
    private readonly ConcurrentDictionary<(Operation, int Status, string ContentType), JsonSchema> schemas = new();

    public DescribedAnswers(params IEnumerable<string> documents)
    {
        foreach (var root in documents.Select(document => JsonNode.Parse(document)!))
        {
            Seal(root);
            var (components, shared) = (root["components"]!["schemas"]!, root["components"]!["responses"]!);
            foreach (var (path, item) in root["paths"]!.AsObject())
            {
                foreach (var method in Methods)
                {
                    if (item![method] is { } operation) operations.Add(new(method.ToUpperInvariant(), path, Resolved(operation["responses"]!.AsObject(), shared), components));
                }
            }
        }
    }

    /// <summary>Every JSON answer to a success that the document describes, as <c>GET /path 200</c>.</summary>
    public IEnumerable<string> Successes =>
        from operation in operations
        from response in operation.Responses
        where response.Key.StartsWith('2') && response.Value!["content"]?["application/json"] is not null
        select $"{operation.Method} {operation.Path} {response.Key}";

    /// <summary>Compares an answer with its description; null when the document does not describe the request.</summary>
    /// <param name="method">Method of the request.</param>
    /// <param name="path">Path of the request.</param>
    /// <param name="status">Status of the answer.</param>
    /// <param name="contentType">Media type of the answer; null: it has no body.</param>
    /// <param name="headers">Names of its headers.</param>
    /// <param name="body">Its body; empty: not compared.</param>
    public Judgement? Judge(string method, string path, int status, string? contentType, IEnumerable<string> headers, ReadOnlyMemory<byte> body)
    {
        if (Find(method, path) is not { } operation) return null;
        var judged = new Judgement($"{operation.Method} {operation.Path} {status}", null);
        if (operation.Responses[$"{status}"] is not JsonObject response) return judged with { Problem = "the document does not describe the status" };
        var described = response["headers"]?.AsObject().Select(header => header.Key) ?? [];
        if (headers.Intersect(Headers, StringComparer.OrdinalIgnoreCase).Except(described, StringComparer.OrdinalIgnoreCase).FirstOrDefault() is { } header)
            return judged with { Problem = $"the document does not describe the header {header}" };
        if (contentType is null) return judged;
        if (response["content"]?[contentType]?["schema"] is not { } schema) return judged with { Problem = $"the document describes no answer of type {contentType}" };
        return body.Length > 0 && contentType.EndsWith("json", StringComparison.Ordinal) && contentType != "application/x-ndjson"
            ? judged with { Problem = ProblemOf(body, schemas.GetOrAdd((operation, status, contentType), _ => Compile(schema, operation.Components))) }
            : judged;
    }

    private static string? ProblemOf(ReadOnlyMemory<byte> body, JsonSchema schema)
    {
        try
        {
            var errors = schema.Validate(JsonElement.Parse(body.Span, new JsonDocumentOptions { MaxDepth = 1000 }));
            return errors.Count == 0 ? null : string.Join("; ", errors);
        }
        catch (JsonException broken)
        {
            return $"the answer is not JSON: {broken.Message}";
        }
    }

    private Operation? Find(string method, string path) => operations
        .Where(operation => operation.Method == method && operation.Matches(path))
        .OrderBy(operation => operation.Parameters)
        .FirstOrDefault();

    private static JsonSchema Compile(JsonNode described, JsonNode components)
    {
        var schema = described.DeepClone().AsObject();
        schema["$defs"] = components.DeepClone();
        var text = schema.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal);
        return JsonSchema.TryCompile(JsonElement.Parse(text), out var compiled, out var problems)
            ? compiled
            : throw new InvalidOperationException($"a schema of the document cannot be compiled: {string.Join("; ", problems)}");
    }

    private static JsonObject Resolved(JsonObject responses, JsonNode shared)
    {
        foreach (var (status, response) in responses.ToList())
        {
            if (response!["$ref"]?.GetValue<string>() is { } name) responses[status] = shared[name[(name.LastIndexOf('/') + 1)..]]!.DeepClone();
        }

        return responses;
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
    private sealed record Operation(string Method, string Path, JsonObject Responses, JsonNode Components)
    {
        private readonly Regex template = new(
            $"^{Regex.Replace(Regex.Escape(Path), @"\\\{[^}]*}", "[^/]+")}$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);

        public int Parameters { get; } = Path.Count(c => c == '{');

        public bool Matches(string path) => template.IsMatch(path);
    }
}

/// <summary>An answer that was compared with its schema, as <c>GET /path 200</c>, and what is wrong with it; null when nothing is.</summary>
internal sealed record Judgement(string Answer, string? Problem);
