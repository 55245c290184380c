using System.Diagnostics;
using System.Globalization;
using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Http;

namespace Broker.Benchmarks.Scenarios;

/// <summary>Starts of instances without workers, on a database that fills with them.</summary>
internal static class Starting
{
    private const int Batch = 100;

    public static IEnumerable<Scenario> On(Database database)
    {
        foreach (var clients in (int[])[1, 32])
        {
            yield return new(
                Naming.On(string.Create(CultureInfo.InvariantCulture, $"start-dispatch-{clients}"), database), "runs", null,
                (lab, ct) => MeasureAsync(lab, database, clients, perRequest: 1, ct));
        }

        yield return new(
            Naming.On("start-batch100-4", database), "runs", null,
            (lab, ct) => MeasureAsync(lab, database, clients: 4, Batch, ct));
    }

    private static async Task<Sample> MeasureAsync(Lab lab, Database database, int clients, int perRequest, CancellationToken ct)
    {
        var site = await lab.SharedAsync(database, purpose: "starting");
        var workflow = lab.NewName("start");
        var schema = Bodies.FiveStepSchema(workflow);
        var dispatch = Bodies.Json(new { workflow = schema, inputs = new { } });
        using (var connection = await RawConnection.ConnectAsync(site.Address, ct))
        {
            await connection.PostAsync("/worker/register", Bodies.Json(new[] { schema }), ct).ExpectAsync(200);
            for (var i = 0; i < lab.Options.Size(full: 200, small: 5); i++)
            {
                await connection.PostAsync("/workflow/dispatch", dispatch, ct).ExpectAsync(200);
            }
        }

        var start = Stopwatch.GetTimestamp();
        return await Load.RunAsync(clients, async (client, latencies, ct) =>
        {
            using var connection = await RawConnection.ConnectAsync(site.Address, ct);
            var prefix = string.Create(CultureInfo.InvariantCulture, $"{workflow}-{client}");
            var started = 0;
            while (Stopwatch.GetElapsedTime(start) < lab.Options.Length)
            {
                var body = perRequest == 1 ? dispatch : BrokerCalls.InstanceBatch(prefix, started, perRequest);
                var path = perRequest == 1 ? "/workflow/dispatch" : $"/api/workflows/{workflow}/instances/batch";
                var began = Stopwatch.GetTimestamp();
                await connection.PostAsync(path, body, ct).ExpectAsync(200);
                latencies.Note(began);
                started += perRequest;
            }

            return started;
        }, ct);
    }
}
