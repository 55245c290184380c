using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>Random requests: the answer is never a server error, and the broker goes on.</summary>
public abstract class JobFuzzSuite(IJobsBroker broker) : JobsSuite(broker)
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1.5", "1e400", "9223372036854775808", "18446744073709551616", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "\"é/%2F?#\"",
        "[]", "{}", "[null]", "[[]]", "{\"\":{}}", "{\"a\":1,\"a\":2}", "[\"a\",\"a\"]", "\"11111111-2222-4333-8444-555555555555\"",
    ];

    private static readonly (string Path, string Body)[] Valid =
    [
        ("/api/workflows", """
            {"name":"n","trigger":"t","jobs":[{"id":"a","name":"a","status":"queued","command":"c","depends_on":[],"required_labels":["fuzz"],"max_retries":1,
             "retry_policy":{"max_retries":1,"backoff":{"Fixed":{"delay_secs":1}}},"metadata":{"k":1},"ports":[{"id":"p","label":"l","direction":"input"}],
             "children":[{"id":"c","name":"c","status":"queued","command":"","depends_on":[]}],"duration_secs":1,"started_at":1,"output":"","attempt":0,"collapsed":true},
             {"id":"b","name":"b","status":"queued","command":"c","depends_on":["a"]}]}
            """),
        ("/api/workers/register", """{"worker_id":"fuzz","labels":["fuzz"]}"""),
        ("/api/jobs/claim", """{"worker_id":"fuzz","labels":["fuzz"],"lease_ttl_secs":1,"count":2,"wait":0,"claim_id":"x"}"""),
        ("/api/jobs/LEASE/complete", """{"outputs":{"a":"b"}}"""),
        ("/api/jobs/LEASE/fail", """{"error":"x","retryable":true}"""),
        ("/api/jobs/LEASE/logs", """{"chunks":[{"workflow_id":"w","job_id":"j","sequence":0,"data":"x","timestamp_ms":0,"stream":"stdout"}]}"""),
        ("/api/jobs/complete", """
            {"results":[{"lease_id":"x","outputs":{"a":"b"}},{"lease_id":"LEASE","error":"x","retryable":true}],"claim":{"worker_id":"fuzz","labels":["fuzz"],"count":1}}
            """),
        ("/api/jobs/heartbeat", """{"lease_ids":["LEASE","x"]}"""),
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Mutated_bodies_are_never_a_server_error(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 300; i++)
        {
            var (path, valid) = Valid[random.Next(Valid.Length)];
            var lease = random.Next(2) == 0 ? "no-lease" : Guid.NewGuid().ToString("D");
            var body = Mutate(valid.Replace("LEASE", lease, StringComparison.Ordinal), random);
            var answer = await PostAsync(path.Replace("LEASE", lease, StringComparison.Ordinal), body);
            Assert.True(answer.Status < 500, $"seed {seed}, round {i}: {answer.Status} for {path} {body}: {answer.Body}");
        }

        Assert.Equal(200, (await GetAsync("/api/workflows?limit=1000")).Status);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task Odd_paths_are_never_a_server_error(int seed)
    {
        string[] segments = ["%2F", "%252F", "%C3%A9", "%FF", "%ED%A0%80", "..", "a~b", "~", "x~", new string('x', 500), "%20", "a%", "*", "{id}"];
        string[] routes = ["GET workflows/@/status", "POST workflows/@/run", "POST workflows/@/cancel", "GET jobs/@/@/cancelled", "GET workflows/@/jobs/@/logs", "POST workers/@/heartbeat", "POST jobs/@/heartbeat"];
        var random = new Random(seed);
        for (var i = 0; i < 200; i++)
        {
            var parts = routes[random.Next(routes.Length)].Split(' ');
            var path = string.Join('/', parts[1].Split('/').Select(s => s == "@" ? segments[random.Next(segments.Length)] : s));
            var answer = await SendAsync(new HttpMethod(parts[0]), $"/api/{path}");
            Assert.True(answer.Status < 500, $"seed {seed}, round {i}: {answer.Status} for {path}: {answer.Body}");
        }
    }

    // One to three changes: a value replaced or taken out, or (now and then) the text itself cut or broken.
    private static string Mutate(string valid, Random random)
    {
        var root = JsonNode.Parse(valid)!;
        var marks = new Dictionary<string, string>();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var all = Places(root).ToList();
            if (all.Count == 0) break;
            var (owner, key) = all[random.Next(all.Count)];
            var mark = string.Create(CultureInfo.InvariantCulture, $"@@{marks.Count}@@");
            marks[mark] = Values[random.Next(Values.Length)];
            if (owner is JsonObject members && random.Next(4) == 0) members.Remove((string)key);
            else if (owner is JsonObject named) named[(string)key] = mark;
            else ((JsonArray)owner)[(int)key] = mark;
        }

        var text = new StringBuilder(root.ToJsonString());
        foreach (var (mark, value) in marks) text.Replace(JsonSerializer.Serialize(mark), value);
        return random.Next(20) == 0 ? text.ToString()[..random.Next(text.Length)] : text.ToString();
    }

    private static IEnumerable<(JsonNode Owner, object Key)> Places(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(m => Places(m.Value).Prepend((members, m.Key))),
        JsonArray items => items.SelectMany((item, i) => Places(item).Prepend((items, i))),
        _ => [],
    };
}
