using System.Text.Json.Nodes;

namespace Broker.Core.Tests.Properties;

/// <summary>Definition documents made from a seed: the same seed, the same document.</summary>
internal static class RandomGraph
{
    public static readonly string[] Branches = ["default", "x", "y"];
    public static readonly string[] EventTypes = ["A", "B"];

    public static string Document(int seed)
    {
        var random = new Random(seed);
        var loops = random.Next(4) > 0 && random.Next(3) == 0;
        var document = !loops && random.Next(3) == 0 ? Jobs(random) : Graph(random, loops);
        if (random.Next(3) == 0) AddConditions(document["steps"]!.AsObject(), random, loops);
        if (random.Next(4) == 0) AddGroups(document["steps"]!.AsObject(), random);

        // Some results fit it, and others do not.
        if (random.Next(4) == 0) document["events"] = JsonNode.Parse("""{"StopEvent":{"schema":{"properties":{"result":{"type":"string"}}}}}""");
        return document.ToJsonString();
    }

    /// <summary>Optional steps, and conditions of each kind. Results are read of predecessors alone; in a loop, the reader decides which edges lead back.</summary>
    private static void AddConditions(JsonObject steps, Random random, bool loops)
    {
        foreach (var (_, step) in steps)
        {
            if (random.Next(4) == 0) step!["optional"] = true;
            if (random.Next(3) > 0) continue;
            var above = (step!["depends_on"] ?? step["predecessors"])!.AsArray().Select(n => (string)n!).ToList();
            var need = above.Count > 0 && !loops ? above[random.Next(above.Count)] : null;
            step["when"] = random.Next(7) switch
            {
                0 => "failure",
                1 => "always",
                2 => "true == false",
                3 => "!failure()",
                4 when need is not null => $"always() && needs.{need}.result == 'skipped'",
                5 when need is not null => $"needs.{need}.result != 'failure' || failure()",
                _ => "success()",
            };
        }
    }

    /// <summary>Two groups of steps that fail together.</summary>
    private static void AddGroups(JsonObject steps, Random random)
    {
        foreach (var (_, step) in steps)
        {
            if (random.Next(2) == 0) step!["fail_fast"] = random.Next(2) == 0 ? "g" : "h";
        }
    }

    /// <summary>Steps that need the success of those they depend on; a lost lease uses up a retry.</summary>
    private static JsonObject Jobs(Random random)
    {
        var steps = new JsonObject();
        var count = random.Next(1, 9);
        for (var i = 0; i < count; i++)
        {
            var needs = Enumerable.Range(0, i).Where(_ => random.Next(3) == 0).Select(p => (JsonNode)$"s{p}").ToArray();
            var step = new JsonObject
            {
                ["depends_on"] = new JsonArray(needs),
                ["command"] = "true",
                ["retry_policy"] = Judged(random, new() { ["max_retries"] = random.Next(3), ["backoff"] = Backoff(random) }),
            };
            if (random.Next(3) == 0) step["timeouts"] = Timeouts(random);
            steps[$"s{i}"] = step;
        }

        return new JsonObject { ["workflow_id"] = "jobs", ["jobs"] = new JsonObject { ["name"] = "Jobs" }, ["steps"] = steps };
    }

    private static JsonObject Judged(Random random, JsonObject policy)
    {
        if (random.Next(3) == 0) policy["jitter"] = random.Next(3) * 0.5;
        if (random.Next(8) == 0) policy["retry_on"] = new JsonArray(random.Next(2) == 0 ? "E" : 75);
        if (random.Next(8) == 0) policy["no_retry_on"] = new JsonArray(random.Next(2) == 0 ? "E" : "AttemptTimedOut");
        return policy;
    }

    private static JsonObject Timeouts(Random random)
    {
        var timeouts = new JsonObject();
        foreach (var limit in (string[])["queue_ms", "attempt_ms", "total_ms"])
        {
            if (random.Next(2) == 0) timeouts[limit] = random.Next(1, 20_000);
        }

        return timeouts;
    }

    private static JsonNode Backoff(Random random) => random.Next(3) switch
    {
        0 => "None",
        1 => new JsonObject { ["Fixed"] = new JsonObject { ["delay_secs"] = random.Next(4) } },
        _ => new JsonObject { ["Exponential"] = new JsonObject { ["base_secs"] = 1, ["max_secs"] = random.Next(1, 9) } },
    };

    /// <summary>Branches, plain and any-of joins, waits and sleeps; with loops if asked for.</summary>
    private static JsonObject Graph(Random random, bool loops)
    {
        var count = random.Next(0, 10);
        var edges = new List<(int From, int To, string Action)>();
        for (var to = 1; to < count; to++)
        {
            for (var from = 0; from < to; from++)
            {
                if (random.Next(3) == 0) edges.Add((from, to, random.Next(2) == 0 ? "default" : Branches[random.Next(3)]));
            }
        }

        // A loop leads back to a step that can also be reached without it.
        for (var i = 0; loops && i < 3 && edges.Count > 0; i++)
        {
            var to = edges[random.Next(edges.Count)].To;
            edges.Add((random.Next(to, count), to, Branches[random.Next(3)]));
        }

        var steps = new JsonObject();
        for (var i = 0; i < count; i++)
        {
            var step = Step(random);
            var successors = edges.Where(e => e.From == i).GroupBy(e => e.Action, e => e.To)
                .Select(g => KeyValuePair.Create(g.Key, (JsonNode?)Names(g.Distinct())));
            step["successors"] = new JsonObject(successors);
            var predecessors = edges.Where(e => e.To == i).Select(e => e.From).Distinct().ToList();
            step["predecessors"] = Names(predecessors);
            if ((string?)step["kind"] == "map" && predecessors.Count > 0 && !loops && random.Next(2) == 0) step["items"] = $"results.s{predecessors[random.Next(predecessors.Count)]}";
            var groups = new JsonObject();
            for (var g = 0; g < 2 && predecessors.Count > 1 && random.Next(2) == 0; g++)
            {
                var members = predecessors.Where(_ => random.Next(3) > 0).OrderBy(_ => random.Next()).ToList();

                // Only edges from earlier steps are certain to start the step.
                if (members.Any(m => m < i)) groups[$"g{g}"] = Names(members);
            }

            step["or_groups"] = groups;
            steps[$"s{i}"] = step;
        }

        return new JsonObject { ["workflow_id"] = "graph", ["max_lease_losses"] = random.Next(4), ["steps"] = steps };
    }

    private static JsonObject Step(Random random) => random.Next(8) switch
    {
        7 => Map(random),
        0 => new JsonObject { ["kind"] = "waitForEvent", ["event"] = EventTypes[random.Next(2)], ["timeout_ms"] = random.Next(1000, 20_000) },
        1 => new JsonObject { ["kind"] = "sleep", ["duration_ms"] = random.Next(0, 5000) },
        2 => new JsonObject { ["retries"] = Judged(random, new() { ["limit"] = random.Next(3), ["delay_ms"] = random.Next(3) * 500, ["backoff"] = "linear" }) },
        3 => new JsonObject { ["timeouts"] = Timeouts(random), ["retries"] = new JsonObject { ["limit"] = random.Next(3) } },
        _ => [],
    };

    private static JsonObject Map(Random random) => new()
    {
        ["kind"] = "map",
        ["items"] = $"inputs.{((string[])["xs", "none", "many", "many", "word"])[random.Next(5)]}",
        ["item"] = new JsonObject { ["handler"] = "h", ["retries"] = new JsonObject { ["limit"] = random.Next(2) }, ["timeouts"] = Timeouts(random) },
        ["max_parallel"] = random.Next(1, 5),
        ["tolerate"] = new JsonObject { ["failures"] = random.Next(3) },
        ["collect"] = ((string[])["results", "summary", "none"])[random.Next(3)],
    };

    private static JsonArray Names(IEnumerable<int> steps) => new(steps.Select(s => (JsonNode)$"s{s}").ToArray());
}
