using System.Diagnostics.Metrics;
using Broker.Operations.Metrics;
using Xunit;

namespace Broker.Tests.Operations;

public sealed class PrometheusTextTests : IDisposable
{
    private readonly Meter meter = new("prometheus-text-tests");

    public void Dispose() => meter.Dispose();

    [Fact]
    public void A_counter_ends_in_total_and_shows_before_it_was_counted()
    {
        var family = Family(meter.CreateCounter<long>("broker.lease.losses", "{lease}", "Leases\nthat \\ were lost"));
        Assert.Equal("# HELP broker_lease_losses_total Leases\\nthat \\\\ were lost\n# TYPE broker_lease_losses_total counter\nbroker_lease_losses_total 0\n", Text(family));
        family.Record(2, []);
        family.Record(3, []);
        Assert.EndsWith("\nbroker_lease_losses_total 5\n", Text(family), StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_are_those_of_the_catalogue_and_any_text_is_escaped()
    {
        var family = Family(meter.CreateUpDownCounter<long>("broker.stream.clients"), "kind");
        family.Record(1, [new("kind", "a\"b\\c\nd"), new("client", "10.0.0.1")]);
        family.Record(1, [new("client", "10.0.0.2"), new("kind", "a\"b\\c\nd")]);
        family.Record(1.5, [new("kind", 7)]);
        family.Record(1, []);
        var lines = Text(family).Split('\n')[2..^1].Order(StringComparer.Ordinal);
        Assert.Equal(["broker_stream_clients 1", "broker_stream_clients{kind=\"7\"} 1.5", "broker_stream_clients{kind=\"a\\\"b\\\\c\\nd\"} 2"], lines);
        _ = new PrometheusLines(Text(family));
    }

    [Fact]
    public void A_histogram_is_cumulative_and_closes_with_infinity()
    {
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] };
        var family = Family(meter.CreateHistogram("broker.claim.duration", "s", "Time", advice: advice), "kind");
        foreach (var value in (double[])[0.05, 0.1, 0.5, 5]) family.Record(value, [new("kind", "k")]);
        Assert.Equal(
            """
            # HELP broker_claim_duration_seconds Time
            # TYPE broker_claim_duration_seconds histogram
            broker_claim_duration_seconds_bucket{kind="k",le="0.1"} 2
            broker_claim_duration_seconds_bucket{kind="k",le="1"} 3
            broker_claim_duration_seconds_bucket{kind="k",le="+Inf"} 4
            broker_claim_duration_seconds_sum{kind="k"} 5.65
            broker_claim_duration_seconds_count{kind="k"} 4

            """,
            Text(family));
    }

    [Fact]
    public void Units_are_in_the_name_once()
    {
        Assert.Equal("broker_queue_oldest_age_seconds", Family(meter.CreateGauge<double>("broker.queue.oldest_age", "s")).Name);
        Assert.Equal("dotnet_memory_bytes", Family(meter.CreateGauge<double>("dotnet.memory", "By")).Name);
        Assert.Equal("waited_seconds_total", Family(meter.CreateCounter<double>("waited_seconds", "s")).Name);
        Assert.Equal("broker_batch_size", Family(meter.CreateHistogram<int>("broker.batch.size", "{call}")).Name);
    }

    [Fact]
    public void The_number_of_series_has_an_end()
    {
        var family = Family(meter.CreateCounter<long>("many"), "n");
        for (var i = 0; i < 5000; i++) family.Record(1, [new("n", i)]);
        Assert.Equal(2000, family.Series.Count());
    }

    [Fact]
    public async Task Concurrent_records_are_all_counted()
    {
        var family = Family(meter.CreateHistogram<int>("sizes"));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++) family.Record(1, []);
        })));
        var lines = new PrometheusLines(Text(family));
        Assert.Equal((80_000, 80_000), (lines["sizes_sum"], lines["sizes_count"]));
    }

    /// <summary>On the hot path of every claim and report.</summary>
    [Fact]
    public void Recording_allocates_nothing()
    {
        var plain = Family(meter.CreateHistogram<double>("plain"));
        var labelled = Family(meter.CreateCounter<long>("labelled"), "verdict");
        KeyValuePair<string, object?>[] tags = [new("verdict", "accepted")];
        void Record()
        {
            for (var i = 0; i < 1000; i++)
            {
                plain.Record(i, []);
                labelled.Record(1, tags);
            }
        }

        Record();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Record();

        // A little for the runtime's own business, such as compiling the loop again.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8000);
    }

    private static MetricFamily Family(Instrument instrument, params string[] labels) => new(instrument, labels);

    private static string Text(MetricFamily family) => PrometheusText.Of([family]);
}
