using System.Text.Json;
using Broker.Tests.BrokerDialect;
using Broker.Tests.Operators;
using Xunit;

namespace Broker.Ui.Tests;

/// <summary>Runs of every state, for pages that show them.</summary>
internal sealed class World
{
    /// <summary>Steps of a workflow that waits for an event.</summary>
    public const string Gate = """{"gate":{"kind":"waitForEvent","event":"go"}}""";

    /// <summary>Two steps, one after the other.</summary>
    public const string Chain = """{"one":{"predecessors":[],"successors":{"default":["two"]}},"two":{"predecessors":["one"],"successors":{}}}""";

    private World(string flow, string people) => (Flow, People) = (flow, people);

    /// <summary>A workflow with tasks.</summary>
    public string Flow { get; }

    /// <summary>A workflow that waits for a person.</summary>
    public string People { get; }

    /// <summary>Addresses of all pages.</summary>
    public IEnumerable<string> Pages =>
    [
        "/ui/", "/ui/runs", "/ui/runs?where=status%3Dodd", "/ui/runs?where=instance%3Dnone", $"/ui/runs/{Flow}/bad", $"/ui/runs/{Flow}/bad?step=test", $"/ui/runs/{Flow}/busy?tab=graph&step=test",
        $"/ui/runs/{Flow}/bad?tab=timeline", $"/ui/runs/{People}/ask?tab=events", $"/ui/runs/{Flow}/bad?tab=logs", $"/ui/runs/{Flow}/good?tab=data", $"/ui/runs/{Flow}/bad/retry", $"/ui/runs/{Flow}/busy/delete",
        $"/ui/runs/{Flow}/bad/fork", $"/ui/runs/{Flow}/bad/tags", $"/ui/runs/{Flow}/busy/steps/test/complete?run=0", "/ui/failures", "/ui/failures?since=all", "/ui/workflows", $"/ui/workflows/{Flow}",
        $"/ui/workflows/{People}?tab=start", $"/ui/workflows/{Flow}?tab=steps", $"/ui/workflows/{Flow}?tab=runs", $"/ui/workflows/{Flow}?tab=versions", $"/ui/workflows/{Flow}?tab=document",
        $"/ui/workflows/{Flow}/pause-starts", "/ui/waiting", "/ui/waiting?for=people", "/ui/workers", "/ui/queues", "/ui/bulk", "/ui/bulk/new", "/ui/audit", "/ui/keys", "/ui/system", "/ui/search?q=b", "/ui/search?q=nothing-has-this-name",
    ];

    public static async Task<World> MakeAsync(Site site)
    {
        var world = new World(OperatorWire.NewName("flow"), OperatorWire.NewName("people"));
        var (wire, operators) = (site.Wire.Wire, site.Wire);
        var worker = await operators.RegisterAsync(world.Flow, """
            {"checkout":{"predecessors":[],"successors":{"default":["lint","test"]}},"lint":{"predecessors":["checkout"],"successors":{"default":["build"]}},
             "test":{"predecessors":["checkout"],"successors":{"default":["build"]}},"build":{"predecessors":["lint","test"],"successors":{}}}
            """);
        foreach (var instance in (string[])["good", "bad", "busy"])
        {
            await operators.StartAsync(world.Flow, instance, """{"suite":"api","retries":3}""");
            await RunAsync(wire, worker, instance);
        }

        await operators.StartAsync(world.Flow, "queued");
        await operators.RegisterAsync(world.People, """{"gate":{"kind":"waitForEvent","event":"approval"},"nap":{"kind":"sleep","duration_ms":3600000}}""");
        await operators.StartAsync(world.People, "ask");
        return world;
    }

    // checkout, lint and test; test fails in "bad" and stays leased in "busy".
    private static async Task RunAsync(Wire wire, string worker, string instance)
    {
        for (var step = 0; step < 4; step++)
        {
            if (await wire.ClaimAsync(worker) is not { } claimed) return;
            var name = claimed.GetProperty("step_name").GetString();
            if (instance == "busy" && name == "test") continue;
            var isBad = instance == "bad" && name == "test";
            var reply = await wire.ReportAsync(worker, claimed, isBad ? "FAILED" : "SUCCEEDED", isBad ? """{"name":"TimeoutError","message":"upstream 7 did not answer"}""" : JsonSerializer.Serialize(new { ok = name }));
            Assert.True(reply.Status == 204, reply.ToString());
        }
    }
}
