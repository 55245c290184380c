using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>Random requests: the broker never answers with a fault of its own.</summary>
public abstract partial class BrokerDialectTests
{
    private static readonly string[] Scraps =
    [
        "null", "true", "-1", "0", "1e999", "123456789012345678901234567890", "\"\"", "\"a\\u0000b\"", "\"\\ud800\"", "\"step0\"", "\"default\"",
        "[]", "{}", "[[]]", "[null]", "{\"\":{}}", "{\"\\ud800x\":1}", "{\"a\\u0000\":[]}", "{\"step0\":{}}", "{\"default\":[\"step0\"]}",
        $"\"{new string('x', 3000)}\"", "{\"a\":1,\"a\":2}", "{\"name\":\"retry\",\"config\":{\"max_retries\":-5}}",
    ];

    private static readonly string[] QueryScraps = ["wait=0", "wait=x", "count=3", "count=-1", "claim=2", "labels=a,,%ED%A0%80", "claim_id=%00%ED%A0%80", "claim_id=", "extras=1", "worker_id", "&&=", "page=2", "%=%"];

    [Fact]
    public async Task Random_requests_never_get_a_5xx()
    {
        var name = Flows.NewName("fuzz");
        var schema = Flows.Branching(name);
        var worker = await Wire.RegisterAsync(schema);
        var instance = await Wire.DispatchAsync(schema, """{"n":1}""");
        var report = $$$"""
            {"workflow_id":"{{{name}}}","instance_id":"{{{instance}}}","step_name":"split","state":"FAILED","result":{"name":"E","message":"m","retryable":true},
             "events":[{"type":"P","value":{"a":1}}],"logs":[{"level":"info","message":"m","category":"c","data":{}}],"context":{"k":1}}
            """;
        (string Path, string Body)[] valid =
        [
            ("/repository/register", """{"name":"fuzzed","url":"u","workflows":["m:o"],"credentials":{"token":"t"}}"""),
            ("/worker/register", $"[{schema.Replace(name, name + "-r", StringComparison.Ordinal)}]"),
            ("/workflow/dispatch", $$$"""{"workflow":{{{schema.Replace(name, name + "-d", StringComparison.Ordinal)}}},"inputs":{"n":1}}"""),
            ($"/workflow/step?worker_id={worker}", report),
            ($"/workflow/step?worker_id={worker}", $"[{report}]"),
            ($"/workflow/step/events?worker_id={worker}", report),
            ($"/workflow/step/heartbeat?worker_id={worker}", $"[{report}]"),
            ($"/workflow/step/release?worker_id={worker}", report),
            ($"/worker/keep-alive?worker_id={worker}", ""),
        ];
        string[] reads = [$"/workflow/step?worker_id={worker}", "/repository?name=", "/workers", "/status"];

        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var i = 0; i < 400; i++)
        {
            var (path, body) = valid[random.Next(valid.Length)];
            var bytes = Mutate(body, random);
            if (random.Next(3) == 0) path += (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + QueryScraps[random.Next(QueryScraps.Length)];
            var posted = await Wire.SendAsync(HttpMethod.Post, path, bytes);
            Assert.True(posted.Status < 500, string.Create(CultureInfo.InvariantCulture, $"seed {seed}: POST {path} {Encoding.UTF8.GetString(bytes)} → {posted}"));

            var read = reads[random.Next(reads.Length)];
            read += (read.Contains('?', StringComparison.Ordinal) ? "&" : "?") + QueryScraps[random.Next(QueryScraps.Length)];
            var got = await Wire.GetAsync(read);
            Assert.True(got.Status < 500, string.Create(CultureInfo.InvariantCulture, $"seed {seed}: GET {read} → {got}"));
        }
    }

    [Fact]
    public async Task Deep_and_broken_bodies_are_refused_on_every_route()
    {
        string[] paths = ["/repository/register", "/worker/register", "/workflow/dispatch", "/workflow/step?worker_id=w"];
        byte[][] bodies =
        [
            Encoding.ASCII.GetBytes(new string('[', 100_000)),
            Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 5000)) + "1" + new string('}', 5000)),
            [0xFF, 0xFE, 0x00],
            [.. "{\"name\":\""u8, 0xC3, 0x28, .. "\"}"u8],
            [.. "\uFEFF{}"u8],
        ];
        foreach (var path in paths)
        {
            foreach (var body in bodies) Assert.InRange((await Wire.SendAsync(HttpMethod.Post, path, body)).Status, 400, 499);
        }
    }

    /// <summary>Puts a scrap in place of a random value, or a random byte somewhere.</summary>
    private static byte[] Mutate(string body, Random random)
    {
        if (body.Length == 0 || random.Next(5) == 0)
        {
            var bytes = Encoding.UTF8.GetBytes(body + " ");
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            return bytes;
        }

        // A marker takes the value's place, and the scrap the marker's: a node could not hold a lone surrogate or a key twice.
        var root = JsonNode.Parse(body)!;
        var node = root;
        while (random.Next(4) != 0)
        {
            var below = node switch
            {
                JsonObject members => [.. members.Select(m => m.Value)],
                JsonArray items => items.ToArray(),
                _ => [],
            };
            if (below.Length == 0 || below[random.Next(below.Length)] is not { } child) break;
            node = child;
        }

        const string marker = "\"@@\"";
        var scrap = Scraps[random.Next(Scraps.Length)];
        if (node == root) return Encoding.UTF8.GetBytes(scrap);
        node.ReplaceWith("@@");
        return Encoding.UTF8.GetBytes(root.ToJsonString().Replace(marker, scrap, StringComparison.Ordinal));
    }
}
