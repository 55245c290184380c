using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Broker.Faults.Harness;

/// <summary>
/// Makes requests out of the broker's own description: right ones, wrong ones and nonsense. Each follows from the seed and its number
/// alone, so that a finding can be sent again.
/// </summary>
internal sealed class Fuzzer(int seed, Uri broker, IReadOnlyList<ApiOperation> operations, IReadOnlyList<string> names)
{
    private static readonly string[] Methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"];

    private static readonly string[] Values =
    [
        "null", "true", "-1", "0", "1.5", "1e999", "-1e-999", "9223372036854775808", "123456789012345678901234567890", "\"\"", "\"x\"", "\"a\\u0000b\"", "\"\\ud800\"",
        "\"\\udc00\\ud800\"", "[]", "{}", "[[]]", "[null]", "{\"\":{}}", "{\"\\ud800\":1}", "{\"a\\u0000\":[]}", "{\"a\":1,\"a\":2}", $"\"{new string('x', 3000)}\"",
        $"{new string('[', 60)}{new string(']', 60)}", $"{new string('[', 500)}{new string(']', 500)}", "\"1e9\"", "\"2026-13-45T99:99:99Z\"", "\"../../etc/passwd\"",
        "\"'; DROP TABLE run; --\"",
    ];

    private static readonly string[] Segments =
    [
        "%00", "%ED%A0%80", "%F0%28%8C%28", "%2F", "%2e%2e", "..", "%252F", "a%20b", "*", "~", "w~i", "-1", "0", "99999999999999999999", "%E2%80%AE", "'--",
        "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "{name}", "%7B%7D", "%", "%zz", "run_1", "x.1", "x.-1", new('a', 300),
    ];

    // No waiting: the test measures how long an answer takes.
    private static readonly string[] QueryValues =
        ["", "0", "-1", "1", "x", "true", "1e9", "%00", "%ED%A0%80", "NaN", "2147483648", "99999999999999999999", "asc", "desc", "running", "a,,b", "%2B", "'", "now"];

    private static readonly string?[] ContentTypes =
    [
        "application/json", "application/json", "application/json; charset=utf-16", null, "", "text/plain", "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded", "garbage", "application/xml", "text/json", "/",
    ];

    private static readonly (string Name, string[] Values)[] Headers =
    [
        ("Idempotency-Key", ["k1", "k2", "", "two words", "\u007f", new('k', 256)]), ("X-Request-Id", ["id", "two words", new('i', 500)]),
        ("Last-Event-ID", ["0", "-1", "x", "99999999999999999999"]), ("Origin", ["null", "https://page.example", "\t"]), ("Accept", ["*/*", "text/event-stream", "x"]),
        ("traceparent", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "nonsense"]), ("Expect", ["100-continue"]), ("Range", ["bytes=0-"]),
        ("Access-Control-Request-Headers", ["authorization"]), ("Authorization", ["Bearer x", "Basic", "Bearer "]), ("Content-Encoding", ["gzip"]),
    ];

    public (HttpRequestMessage Request, ApiOperation? Operation, string Description) Make(int number)
    {
        var random = new Random(seed ^ (number * 486_187_739));
        var operation = random.Next(12) == 0 ? null : operations[random.Next(operations.Count)];
        var path = operation is null ? Nonsense(random) : Filled(operation, random);
        var method = operation is not null && random.Next(8) != 0 ? operation.Method : Methods[random.Next(Methods.Length)];
        var request = new HttpRequestMessage(
            new HttpMethod(method), new Uri(broker.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));

        byte[]? body = null;
        if (method is not ("GET" or "HEAD" or "TRACE") || random.Next(20) == 0)
        {
            body = Body(operation?.Example, random);
            request.Content = new ByteArrayContent(body);
            if (ContentTypes[random.Next(ContentTypes.Length)] is { } type) request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        if (method == "TRACE") request.Content = null;
        while (random.Next(4) == 0)
        {
            var (name, values) = Headers[random.Next(Headers.Length)];
            var value = values[random.Next(values.Length)];
            if (name is "Content-Encoding") request.Content?.Headers.TryAddWithoutValidation(name, value);
            else request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.ExpectContinue = false;
        var text = body is null ? "" : Encoding.Latin1.GetString(body.AsSpan(0, Math.Min(body.Length, 2000)));
        return (request, operation, string.Create(CultureInfo.InvariantCulture, $"seed {seed}, request {number}: {method} {path} {request.Headers} {text}"));
    }

    private string Filled(ApiOperation operation, Random random)
    {
        var segments = operation.Path.Split('/').Select(s => !s.StartsWith('{') ? s
            : random.Next(4) == 0 ? Segments[random.Next(Segments.Length)]
            : Uri.EscapeDataString(names[random.Next(names.Count)]));
        var query = new StringBuilder();
        foreach (var name in operation.Query)
        {
            if (random.Next(2) == 0) continue;
            var value = name is "acquire_timeout" or "wait" ? "0" : random.Next(3) == 0 ? Uri.EscapeDataString(names[random.Next(names.Count)]) : QueryValues[random.Next(QueryValues.Length)];
            query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=').Append(value);
        }

        if (random.Next(10) == 0) query.Append(query.Length == 0 ? '?' : '&').Append("&&=%=%&a[]=1&;");
        return string.Join('/', segments) + query;
    }

    private string Nonsense(Random random)
    {
        string[] starts = ["", "/", "/api", "/api/workflows", "/workflows", "/agents", "/events", "/docs", "/openapi.json", "/_runner", "/worker"];
        var path = new StringBuilder(starts[random.Next(starts.Length)]);
        for (var i = random.Next(5); i >= 0; i--) path.Append('/').Append(random.Next(2) == 0 ? Segments[random.Next(Segments.Length)] : names[random.Next(names.Count)]);
        return path.ToString();
    }

    private byte[] Body(string? example, Random random)
    {
        switch (random.Next(16))
        {
            case 0: return [];
            case 1: return Encoding.UTF8.GetBytes(Values[random.Next(Values.Length)]);
            case 2: return Encoding.ASCII.GetBytes(new string(random.Next(2) == 0 ? '[' : '{', 1 + random.Next(20_000)));
            case 3: return [0xFF, 0xFE, 0x00, 0x7B, 0x00];
            case 4: return [.. "{\"a\":\""u8, 0xC3, 0x28, .. "\"}"u8];
            case 5: return [.. "\uFEFF{}"u8];
        }

        if (example is null) return "{}"u8.ToArray();
        var text = example;
        for (var i = random.Next(3); i >= 0; i--) text = Mutated(text, random);
        var bytes = Encoding.UTF8.GetBytes(text);
        if (random.Next(6) == 0 && bytes.Length > 0) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return random.Next(10) == 0 ? bytes[..random.Next(bytes.Length + 1)] : bytes;
    }

    private string Mutated(string document, Random random)
    {
        try
        {
            return JsonNode.Parse(document) is { } root ? Mutated(root, random) : document;
        }
        catch (Exception broken) when (broken is System.Text.Json.JsonException or ArgumentException or InvalidOperationException)
        {
            // An earlier change left a key twice, or half a surrogate pair: no node can hold it, and it is good as it is.
            return document;
        }
    }

    /// <summary>A value of the document gives way to another one, is left out, or becomes a name that is known.</summary>
    private string Mutated(JsonNode root, Random random)
    {
        var node = root;
        while (random.Next(3) != 0)
        {
            JsonNode?[] below = node switch
            {
                JsonObject members => [.. members.Select(m => m.Value)],
                JsonArray items => [.. items],
                _ => [],
            };
            if (below.Length == 0 || below[random.Next(below.Length)] is not { } child) break;
            node = child;
        }

        var value = random.Next(3) == 0 ? JsonValue.Create(names[random.Next(names.Count)]).ToJsonString() : Values[random.Next(Values.Length)];
        if (node == root) return random.Next(4) == 0 ? value : root.ToJsonString();
        if (node.Parent is JsonObject owner && random.Next(4) == 0)
        {
            owner.Remove(owner.First(m => m.Value == node).Key);
            return root.ToJsonString();
        }

        // A marker takes the value's place, and the value the marker's: a node could not hold half a surrogate pair or a key twice.
        node.ReplaceWith("@@");
        return root.ToJsonString().Replace("\"@@\"", value, StringComparison.Ordinal);
    }
}
