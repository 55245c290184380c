using System.Diagnostics;
using System.Globalization;
using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Http;

namespace Broker.Benchmarks.Yardsticks;

/// <summary>The load generator against endpoints that answer from memory: no broker can be faster on this machine.</summary>
internal static class HttpCeiling
{
    private static readonly byte[] Claim = """{"worker_id":"w","labels":["bench"]}"""u8.ToArray();
    private static readonly byte[] Outputs = """{"outputs":{}}"""u8.ToArray();

    public static IEnumerable<Scenario> All()
    {
        foreach (var workers in (int[])[32, 128])
        {
            yield return new(
                string.Create(CultureInfo.InvariantCulture, $"http-ceiling-{workers}"),
                "pairs",
                null,
                (lab, ct) => MeasureAsync(lab, workers, ct));
        }
    }

    private static async Task<Sample> MeasureAsync(Lab lab, int workers, CancellationToken ct)
    {
        var server = await lab.CeilingAsync();
        await RunAsync(server.Address, workers, lab.Options.Length / 2, ct);
        var own = ProcessUsage.CpuSeconds(Environment.ProcessId);
        var theirs = ProcessUsage.CpuSeconds(server.Id);
        var sample = await RunAsync(server.Address, workers, lab.Options.Length, ct);
        return sample with
        {
            Extras = new Dictionary<string, double>
            {
                ["client cpu us/request"] = (ProcessUsage.CpuSeconds(Environment.ProcessId) - own) * 1e6 / sample.Count / 2,
                ["server cpu us/request"] = (ProcessUsage.CpuSeconds(server.Id) - theirs) * 1e6 / sample.Count / 2,
            },
        };
    }

    private static Task<Sample> RunAsync(Uri address, int workers, TimeSpan length, CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp();
        return Load.RunAsync(workers, async (_, latencies, ct) =>
        {
            using var connection = await RawConnection.ConnectAsync(address, ct);
            long pairs = 0;
            while (Stopwatch.GetElapsedTime(start) < length)
            {
                var began = Stopwatch.GetTimestamp();
                var claimed = await connection.PostAsync("/api/jobs/claim", Claim, ct);
                latencies.Note(began);
                var lease = JsonScan.First(claimed.Body.Span, "lease_id"u8) ?? throw new InvalidDataException(claimed.Text);
                began = Stopwatch.GetTimestamp();
                var completed = await connection.PostAsync($"/api/jobs/{lease}/complete", Outputs, ct);
                if (completed.Status != 200) throw new InvalidDataException($"{completed.Status} {completed.Text}");

                latencies.Note(began);
                pairs++;
            }

            return pairs;
        }, ct);
    }
}
