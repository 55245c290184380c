using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Broker.Faults.Harness;

/// <summary>Reported to the first broker, claimed from the second by a request that was there before.</summary>
internal static class HandOver
{
    /// <summary>How long each took, in milliseconds.</summary>
    public static async Task<List<double>> MeasureAsync(Site site, int rounds, CancellationToken ct)
    {
        using var second = new HttpClient { BaseAddress = site.Brokers[1].Address };
        var workflow = await site.Http.DefineAsync(ct, Wire.Job("one", "true"), Wire.Job("two", "true", """["one"]"""));
        var times = new List<double>();
        for (var i = 0; i < rounds; i++)
        {
            await site.Http.MustPostAsync($"/api/workflows/{workflow}/run", "", ct);
            var one = await site.Http.MustPostAsync("/api/jobs/claim", """{"worker_id":"a","labels":[],"wait":30}""", ct);
            Assert.Equal("one", (string?)one["job"]!["job_id"]);
            var parked = second.MustPostAsync("/api/jobs/claim", """{"worker_id":"b","labels":[],"wait":30}""", ct);
            Assert.Equal("running", (string?)(await second.JobsAsync(workflow, ct))["one"]["status"]);
            Assert.False(parked.IsCompleted);
            var watch = Stopwatch.StartNew();
            await site.Http.MustPostAsync($"/api/jobs/{(string?)one["lease"]!["lease_id"]}/complete", """{"outputs":{}}""", ct);
            var two = await parked;
            times.Add(watch.Elapsed.TotalMilliseconds);
            Assert.Equal("two", (string?)two["job"]!["job_id"]);
            await second.MustPostAsync($"/api/jobs/{(string?)two["lease"]!["lease_id"]}/complete", """{"outputs":{}}""", ct);
        }

        Effort.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"{rounds} hand-overs from broker to broker: median {times.Percentile(50):0} ms, p99 {times.Percentile(99):0} ms, longest {times.Max():0} ms"));
        return times;
    }
}
