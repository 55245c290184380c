using System.Text;
using System.Text.Json;

namespace Broker.Benchmarks.Scenarios;

/// <summary>Request bodies, serialised once.</summary>
internal static class Bodies
{
    public static readonly byte[] NoOutputs = """{"outputs":{}}"""u8.ToArray();

    /// <summary>Five steps: one, three beside each other, one. Every job asks for the label, so that runs do not mix.</summary>
    public static byte[] FiveStepJobs(string name, string label) => Jobs(name, label,
        [("first", []), ("left", ["first"]), ("middle", ["first"]), ("right", ["first"]), ("last", ["left", "middle", "right"])]);

    public static byte[] Jobs(string name, string label, IEnumerable<(string Id, string[] After)> jobs) => Json(new
    {
        name,
        trigger = "benchmark",
        jobs = jobs.Select(job => new
        {
            id = job.Id,
            name = job.Id,
            status = "queued",
            command = "true",
            depends_on = job.After,
            required_labels = new[] { label },
        }),
    });

    /// <summary>The same five steps in the broker dialect.</summary>
    public static object FiveStepSchema(string workflowId)
    {
        string[] middle = ["left", "middle", "right"];
        return new
        {
            workflow_id = workflowId,
            version = "1",
            steps = new Dictionary<string, object>
            {
                ["first"] = Step("first", [], middle),
                ["left"] = Step("left", ["first"], ["last"]),
                ["middle"] = Step("middle", ["first"], ["last"]),
                ["right"] = Step("right", ["first"], ["last"]),
                ["last"] = Step("last", middle, []),
            },
            outputs = new[] { "last" },
            policies = Array.Empty<object>(),
        };
    }

    public static byte[] Claim(string worker, string label, int? count = null, int? wait = null)
    {
        var claim = new Dictionary<string, object> { ["worker_id"] = worker, ["labels"] = new[] { label }, ["lease_ttl_secs"] = 300 };
        if (count is { } many) claim["count"] = many;

        if (wait is { } seconds) claim["wait"] = seconds;

        return Json(claim);
    }

    /// <summary>Completes these leases and claims the next jobs, if a claim is given.</summary>
    public static byte[] Complete(IReadOnlyList<string> leases, byte[]? claim = null)
    {
        var text = new StringBuilder("""{"results":[""");
        for (var i = 0; i < leases.Count; i++)
        {
            text.Append(i == 0 ? "" : ",").Append("{\"lease_id\":\"").Append(leases[i]).Append("\",\"outputs\":{}}");
        }

        text.Append(']');
        if (claim is not null) text.Append(",\"claim\":").Append(Encoding.UTF8.GetString(claim));

        return Encoding.UTF8.GetBytes(text.Append('}').ToString());
    }

    public static byte[] Json(object value) => JsonSerializer.SerializeToUtf8Bytes(value);

    private static object Step(string name, string[] predecessors, string[] successors) => new
    {
        name,
        successors = successors.Length == 0 ? [] : new Dictionary<string, string[]> { ["default"] = successors },
        predecessors,
        or_groups = new Dictionary<string, string[]>(),
        policies = Array.Empty<object>(),
    };
}
