using System.Diagnostics;
using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Http;

namespace Broker.Benchmarks.Scenarios;

/// <summary>Thousands of leases kept alive.</summary>
internal static class Heartbeats
{
    private const int Clients = 32, Batch = 100;

    public static IEnumerable<Scenario> On(Database database)
    {
        yield return new(Naming.On("heartbeats-2000", database), "heartbeats", "http-ceiling-32", async (lab, ct) =>
        {
            var site = await lab.SharedAsync(database);
            var label = lab.NewName("heart");
            var count = lab.Options.Size(full: 2_000, small: 100);
            using var connection = await RawConnection.ConnectAsync(site.Address, ct);
            var workflow = await connection.DefineJobsAsync(Bodies.Jobs(label, label, [("only", [])]), ct);
            await connection.StartInstancesAsync(workflow, count, label, ct);
            List<string> leases = [];
            while (leases.Count < count) leases.AddRange(await connection.ClaimManyAsync(Bodies.Claim(label, label, Batch), ct));

            var start = Stopwatch.GetTimestamp();
            var sample = await Load.RunAsync(Clients, async (client, latencies, ct) =>
            {
                using var own = await RawConnection.ConnectAsync(site.Address, ct);
                long beats = 0;
                for (var next = client; Stopwatch.GetElapsedTime(start) < lab.Options.Length; next = (next + Clients) % count)
                {
                    var began = Stopwatch.GetTimestamp();
                    await own.PostAsync($"/api/jobs/{leases[next]}/heartbeat", default, ct).ExpectAsync(200);
                    latencies.Note(began);
                    beats++;
                }

                return beats;
            }, ct);
            foreach (var done in leases.Chunk(Batch)) await connection.CompleteManyAsync(Bodies.Complete(done), ct);

            return sample;
        });
    }
}
