using System.Text.Json;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Tests.Cli;

/// <summary>The state that an operator finds: of 200 runs 25 failed in their second step, 50 have no worker, 50 wait for an answer.</summary>
internal sealed class Night(HttpClient http)
{
    private const string Definitions = """
        [{"workflow_id":"etl","version":"1","outputs":["load"],"steps":{"extract":{"successors":{"default":["load"]}},"load":{"predecessors":["extract"]}}},
         {"workflow_id":"release","version":"1","outputs":["publish"],"steps":{
           "gate":{"kind":"waitForEvent","event":"approval","timeout_ms":86400000,"successors":{"default":["publish"]}},"publish":{"predecessors":["gate"]}}}]
        """;

    private const string Training = """[{"workflow_id":"train","version":"1","steps":{"fit":{"required_labels":["gpu"]}}}]""";

    private readonly Wire wire = new(http);
    private string worker = "";

    public async Task BeginAsync()
    {
        worker = (await wire.PostAsync("/worker/register", Definitions)).Text;
        Assert.Equal(200, (await wire.PostAsync("/worker/register", Training)).Status);
        await StartAsync("etl", "e", 100);
        await StartAsync("train", "t", 50);
        await StartAsync("release", "r", 50);
        Assert.Equal(100, await WorkAsync(_ => true));
        Assert.Equal(100, await WorkAsync(id => int.Parse(id[2..], System.Globalization.CultureInfo.InvariantCulture) > 25));
    }

    /// <summary>Claims all that is ready and reports it; the number of steps.</summary>
    public async Task<int> WorkAsync(Func<string, bool> succeeds)
    {
        var reply = await wire.GetAsync($"/workflow/step?worker_id={worker}&count=500");
        Assert.Equal(200, reply.Status);
        var reports = reply.Json.EnumerateArray().Select(step => Report(step, succeeds(step.GetProperty("instance_id").GetString()!.Split('.')[0]))).ToList();
        if (reports.Count > 0) Assert.Equal(200, (await wire.PostAsync($"/workflow/step?worker_id={worker}", $"[{string.Join(',', reports)}]")).Status);
        return reports.Count;
    }

    /// <summary>Steps that are ready for the worker, by name.</summary>
    public async Task<IReadOnlyList<string>> ReadyAsync()
    {
        var reply = await wire.GetAsync($"/workflow/step?worker_id={worker}&count=500");
        return [.. reply.Json.EnumerateArray().Select(step => $"{step.GetProperty("workflow_id").GetString()} {step.GetProperty("step_name").GetString()}")];
    }

    private async Task StartAsync(string workflow, string prefix, int count)
    {
        var instances = Enumerable.Range(1, count).Select(number => $$"""{"id":"{{prefix}}-{{number}}"}""");
        var reply = await wire.PostAsync($"/api/workflows/workflows/{workflow}/instances/batch", $$"""{"instances":[{{string.Join(',', instances)}}]}""");
        Assert.True(reply.Status == 200, reply.Body);
    }

    private static string Report(JsonElement step, bool succeeds)
    {
        var outcome = succeeds
            ? "\"state\":\"SUCCEEDED\",\"result\":1"
            : """
                "state":"FAILED","result":{"name":"IOError","message":"warehouse: no space left on device","retryable":false},"logs":[{"level":"error","message":"copy failed at row 812"}]
                """;
        return $$"""{"workflow_id":"{{step.GetProperty("workflow_id").GetString()}}","instance_id":"{{step.GetProperty("instance_id").GetString()}}","step_name":"{{step.GetProperty("step_name").GetString()}}",{{outcome}}}""";
    }
}
