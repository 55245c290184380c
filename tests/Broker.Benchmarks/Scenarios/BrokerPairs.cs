using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Http;
using Broker.Storage.Contracts;

namespace Broker.Benchmarks.Scenarios;

/// <summary>The same runs worked off through the broker dialect: GET and POST /workflow/step.</summary>
internal static class BrokerPairs
{
    public static IEnumerable<Scenario> On(Database database)
    {
        foreach (var workers in (int[])[32, 128])
        {
            var name = Naming.On(string.Create(CultureInfo.InvariantCulture, $"broker-pair-{workers}"), database);
            yield return new(
                name,
                "steps",
                Naming.On(string.Create(CultureInfo.InvariantCulture, $"jobs-pair-{workers}"), database),
                (lab, ct) => MeasureAsync(lab, name, database, workers, "", Accelerators.All, ct));
        }

        var without = Naming.On("broker-pair-32-without-eager-dispatch", database);
        yield return new(without, "steps", Naming.On("broker-pair-32", database), (lab, ct) =>
            MeasureAsync(lab, without, database, 32, "without eager dispatch", Accelerators.All & ~Accelerators.EagerDispatch, ct));
    }

    private static async Task<Sample> MeasureAsync(
        Lab lab, string name, Database database, int workers, string purpose, Accelerators on, CancellationToken ct)
    {
        var site = await lab.SharedAsync(database, purpose, accelerators: on);
        return await Supply.MeasureAsync(lab, name, async runs =>
        {
            var workflow = lab.NewName("steps");
            var registration = Bodies.Json(new[] { Bodies.FiveStepSchema(workflow) });
            List<string> ids = [];
            using (var connection = await RawConnection.ConnectAsync(site.Address, ct))
            {
                while (ids.Count < workers)
                {
                    var registered = await connection.PostAsync("/worker/register", registration, ct).ExpectAsync(200);
                    ids.Add(JsonSerializer.Deserialize<JsonElement>(registered.Body.Span).ToString());
                }

                await connection.StartInstancesAsync(workflow, runs, workflow, ct);
            }

            var usage = await BrokerUsage.BeginAsync(site, ct);
            var supply = new Supply(runs * Supply.StepsInARun);
            var sample = await Load.RunAsync(workers, async (worker, latencies, ct) =>
            {
                using var connection = await RawConnection.ConnectAsync(site.Address, ct);
                return await WorkAsync(connection, ids[worker], supply, latencies, ct);
            }, ct);
            return await usage.EndAsync(sample, ct);
        });
    }

    private static async Task<long> WorkAsync(
        RawConnection connection, string worker, Supply supply, Latencies latencies, CancellationToken ct)
    {
        var path = "/workflow/step?worker_id=" + Uri.EscapeDataString(worker);
        long done = 0;
        while (!supply.IsExhausted)
        {
            var began = Stopwatch.GetTimestamp();
            var assignment = await connection.GetAsync(path, ct).ExpectAsync(200, 204);
            if (assignment.Status == 204)
            {
                await Supply.PauseAsync(ct);
                continue;
            }

            latencies.Note(began);
            var report = ReportOf(assignment.Body.Span);
            began = Stopwatch.GetTimestamp();
            await connection.PostAsync(path, report, ct).ExpectAsync(204);
            latencies.Note(began);
            supply.Done();
            done++;
        }

        return done;
    }

    private static byte[] ReportOf(ReadOnlySpan<byte> assignment) => Bodies.Json(new
    {
        workflow_id = JsonScan.First(assignment, "workflow_id"u8),
        instance_id = JsonScan.First(assignment, "instance_id"u8),
        step_name = JsonScan.First(assignment, "step_name"u8),
        state = "SUCCEEDED",
        result = (string?)null,
    });
}
