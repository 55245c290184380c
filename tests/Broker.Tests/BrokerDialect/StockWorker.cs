using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Broker.Tests.BrokerDialect;

/// <summary>Answer that ends a stock client: an error status, text that it cannot parse, a key too many or too few.</summary>
internal sealed class StockClientException(string message) : Exception(message);

/// <summary>Arguments of a stock worker's step.</summary>
internal sealed record StockCall(string Instance, string Step, JsonObject Inputs, JsonObject Results);

/// <summary>How a step of a stock worker ends.</summary>
internal sealed record StockResult(string State, JsonNode? Value)
{
    public static StockResult Ok(JsonNode? value) => new("SUCCEEDED", value);

    public static StockResult Skipped { get; } = new("SKIPPED", null);
}

/// <summary>
/// An unmodified worker (broker contract 5 and 6): registers once, then keep-alive, poll, run, report, with nothing on the wire in
/// between; a connection of its own for each call; parses strictly and dies of anything it does not know. An exception of the step
/// is a FAILED report without text.
/// </summary>
internal sealed class StockWorker(HttpClient http, IReadOnlyList<string> schemas, Func<StockCall, StockResult> run)
{
    private static readonly string[] AssignmentKeys = ["workflow_id", "instance_id", "step_name", "payload", "assigned_at", "expires_at"];

    private readonly Dictionary<string, JsonObject> workflows = schemas
        .Select(schema => JsonNode.Parse(schema)!.AsObject())
        .ToDictionary(schema => (string)schema["workflow_id"]!);

    /// <summary>Registers and works until a poll finds nothing, as a worker that does not block; returns how many steps it ran.</summary>
    public async Task<int> WorkAsync()
    {
        var id = Uri.EscapeDataString(IdOf(await CallAsync(HttpMethod.Post, "/worker/register", $"[{string.Join(',', schemas)}]")));
        for (var done = 0; ; done++)
        {
            await CallAsync(HttpMethod.Post, $"/worker/keep-alive?worker_id={id}", "");
            if (await CallAsync(HttpMethod.Get, $"/workflow/step?worker_id={id}", null) is not { } answer) return done;
            var assignment = AssignmentOf(answer);
            var result = Run(assignment);
            var report = new JsonObject
            {
                ["workflow_id"] = (string)assignment["workflow_id"]!,
                ["instance_id"] = (string)assignment["instance_id"]!,
                ["step_name"] = (string)assignment["step_name"]!,
                ["state"] = result.State,
                ["result"] = result.Value,
            };
            await CallAsync(HttpMethod.Post, $"/workflow/step?worker_id={id}", report.ToJsonString());
        }
    }

    /// <summary>Null for an empty body, else whatever JSON came, whatever its content type.</summary>
    private async Task<JsonNode?> CallAsync(HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.ConnectionClose = true;
        request.Headers.AcceptEncoding.Add(new("identity"));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if ((int)response.StatusCode >= 400) throw new StockClientException($"{method} {path}: {(int)response.StatusCode} {text}");
        if (text.Length == 0) return null;
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            throw new StockClientException($"{method} {path}: no JSON: {text}");
        }
    }

    private static string IdOf(JsonNode? answer) => answer?.GetValueKind() switch
    {
        JsonValueKind.String => (string)answer!,
        JsonValueKind.Number => answer!.ToJsonString(),
        _ => throw new StockClientException($"no worker id: {answer?.ToJsonString()}"),
    };

    private static JsonObject AssignmentOf(JsonNode answer)
    {
        if (answer is JsonObject assignment
            && assignment.Select(m => m.Key).Order(StringComparer.Ordinal).SequenceEqual(AssignmentKeys.Order(StringComparer.Ordinal))
            && double.IsFinite((double)assignment["assigned_at"]!)
            && (double)assignment["expires_at"]! > (double)assignment["assigned_at"]!)
        {
            return assignment;
        }

        throw new StockClientException($"no assignment: {answer.ToJsonString()}");
    }

    private StockResult Run(JsonObject assignment)
    {
        var workflow = (string)assignment["workflow_id"]!;
        var name = (string)assignment["step_name"]!;
        if (!workflows.TryGetValue(workflow, out var schema)) throw new StockClientException($"unknown workflow {workflow}");
        var steps = schema["steps"]!.AsObject();
        if (!steps.ContainsKey(name)) throw new StockClientException($"unknown step {name}");

        var payload = assignment["payload"]!.AsObject();
        var results = payload["results"]!.AsObject();
        foreach (var (key, _) in results)
        {
            if (!steps.ContainsKey(key)) throw new StockClientException($"{name} was given a result of {key}, which is no step");
        }

        try
        {
            RequireParameters(steps[name]!.AsObject(), results);
            return run(new((string)assignment["instance_id"]!, name, payload["workflow_inputs"]!.AsObject(), results));
        }
        catch (KeyNotFoundException)
        {
            return new("FAILED", null);
        }
        catch (InvalidOperationException)
        {
            return new("FAILED", null);
        }
    }

    /// <summary>A parameter is looked up under the plain predecessor's name, or under the first-listed member of its any-of group.</summary>
    private static void RequireParameters(JsonObject step, JsonObject results)
    {
        var groups = step["or_groups"]!.AsObject().Select(g => g.Value!.AsArray().Select(m => (string)m!).ToList()).ToList();
        var needed = step["predecessors"]!.AsArray().Select(p => (string)p!).Where(p => !groups.Exists(g => g.Contains(p)))
            .Concat(groups.Select(g => g[0]));
        foreach (var name in needed)
        {
            if (!results.ContainsKey(name)) throw new KeyNotFoundException(string.Create(CultureInfo.InvariantCulture, $"no result of {name}"));
        }
    }
}
