using System.Globalization;
using System.Text.Json;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Ui.Tests;

/// <summary>A plausible broker for pictures: builds, orders and approvals in every state.</summary>
internal sealed class Gallery(Site site)
{
    private const string Builds = """
        name: ci
        on: push
        inputs:
          branch: { type: string, required: true, description: what to build }
          target: { type: choice, options: [staging, production], default: staging, description: where it goes }
          replicas: { type: number, default: 3, description: "1 to 12" }
          dry_run: { type: boolean, description: stops before the deployment }
        jobs:
          checkout: { runs-on: linux, steps: [ { run: git clone } ] }
          lint: { runs-on: linux, needs: [checkout], steps: [ { run: make lint } ] }
          docs: { runs-on: linux, needs: [checkout], steps: [ { run: make docs } ] }
          shard:
            runs-on: linux
            needs: [checkout]
            strategy: { matrix: { part: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] } }
            steps: [ { run: make test } ]
          test: { runs-on: linux, needs: [checkout], steps: [ { run: make test } ] }
          build: { runs-on: linux, needs: [lint, test, shard], steps: [ { run: make build } ] }
          deploy: { runs-on: linux, needs: [build, docs], steps: [ { run: make deploy } ] }
        """;

    private readonly Wire wire = site.Wire.Wire;

    public async Task HangAsync()
    {
        foreach (var worker in (string[])["w-1", "w-2", "w-3"]) await site.PostAsync("/api/workers/register", $$"""{"worker_id":"{{worker}}","labels":["linux","docker"]}""");
        await site.SendAsync(HttpMethod.Put, "/api/v1/workflows/ci", JsonSerializer.Serialize(new { text = Builds }));
        foreach (var (instance, failing, until) in ((string, string?, int)[])[("build-809", null, 30), ("build-810", null, 30), ("build-811", "lint", 40), ("build-812", "test", 40), ("build-813", null, 40), ("build-814", null, 9), ("build-815", null, 3)])
        {
            await site.PostAsync("/api/v1/workflows/ci/runs", JsonSerializer.Serialize(new { instance, inputs = new { branch = instance == "build-812" ? "fix/timeouts" : "main" }, tags = new { branch = instance == "build-812" ? "fix/timeouts" : "main", by = "kim" } }));
            await WorkAsync(failing, until);
        }

        var orders = await site.Wire.RegisterAsync("orders", """
            {"reserve":{"predecessors":[],"successors":{"default":["charge"]}},"charge":{"predecessors":["reserve"],"successors":{"default":["ship"]}},"ship":{"predecessors":["charge"],"successors":{}}}
            """);
        for (var i = 0; i < 14; i++)
        {
            await site.Wire.StartAsync("orders", string.Create(CultureInfo.InvariantCulture, $"o-{991 + i}"), """{"customer":"ACME","items":3}""");
            for (var step = 0; step < (i < 9 ? 3 : i - 9); step++)
            {
                if (await wire.ClaimAsync(orders) is not { } claimed) break;
                var isBad = i is 3 or 6 && step == 1;
                await wire.ReportAsync(orders, claimed, isBad ? "FAILED" : "SUCCEEDED", isBad ? $$"""{"name":"CardDeclined","message":"the bank refused payment {{4711 + i}}"}""" : """{"ok":true}""");
                if (isBad) break;
            }
        }

        await wire.RegisterAsync("""
            {"workflow_id":"approval","version":"3","steps":{"wait-approval":{"kind":"waitForEvent","event":"approval","timeout_ms":5400000}},"events":{"approval":{"types":["HumanResponseEvent"],"schema":{"type":"object","required":["approved"],"properties":{"approved":{"type":"boolean"},"note":{"type":"string","description":"for the customer"}}}}}}
            """);
        foreach (var order in (string[])["order-7", "order-8", "order-12"]) await site.Wire.StartAsync("approval", order, """{"pallets":3,"to":"Oslo"}""");
        await site.Wire.RegisterAsync("train", """{"fit":{"predecessors":[],"successors":{}}}""");
    }

    // Jobs of the newest build, one after the other, with a log.
    private async Task WorkAsync(string? failing, int most)
    {
        for (var i = 0; i < most; i++)
        {
            var reply = await wire.PostAsync("/api/jobs/claim", $$"""{"worker_id":"w-{{i % 3 + 1}}","labels":["linux","docker"],"lease_ttl_secs":600}""");
            if (reply.Json.ValueKind is JsonValueKind.Null) return;
            var (job, workflow) = (reply.Json.GetProperty("job").GetProperty("job_id").GetString()!, reply.Json.GetProperty("job").GetProperty("workflow_id").GetString()!);
            var lease = reply.Json.GetProperty("lease").GetProperty("lease_id").GetString()!;
            var isBad = job == failing;
            await LogAsync(lease, workflow, job, isBad);
            if (i == most - 1 && !isBad) return;
            await site.PostAsync($"/api/jobs/{lease}/{(isBad ? "fail" : "complete")}", isBad ? """{"error":"TimeoutError: upstream 7 did not answer within 10 s","retryable":false}""" : """{"outputs":{"ok":"true"}}""");
        }
    }

    private async Task LogAsync(string lease, string workflow, string job, bool isBad)
    {
        List<(string Text, string Stream)> lines = [($"$ make {job}", "stdout"), ("\u001b[1mrunning suite api\u001b[0m", "stdout")];
        for (var i = 1; i <= 14; i++) lines.Add(($"\u001b[32mok\u001b[0m {i,3}  {job}/case_{i:000}  ({3 + (i * 7 % 40)} ms)", "stdout"));
        lines.Add(isBad ? ("\u001b[31mTimeoutError\u001b[0m: upstream 7 did not answer within 10 s", "stderr") : ($"\u001b[32m14 passed\u001b[0m in {job}", "stdout"));
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var chunks = lines.Select((line, i) => new { workflow_id = workflow, job_id = job, sequence = i, data = line.Text, timestamp_ms = now - 4000 + (i * 211), stream = line.Stream });
        Assert.Equal(200, (await wire.PostAsync($"/api/jobs/{lease}/logs", JsonSerializer.Serialize(new { chunks }))).Status);
    }
}
