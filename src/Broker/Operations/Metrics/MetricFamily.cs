using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Broker.Operations.Metrics;

/// <summary>Kind of a Prometheus metric.</summary>
internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>Values of the labels of one series, in the order of the family's label names.</summary>
internal readonly record struct LabelValues(object? First, object? Second, object? Third)
{
    public object? this[int index] => index switch { 0 => First, 1 => Second, _ => Third };
}

/// <summary>
/// One instrument's measurements, added up by label. Recording takes no lock and allocates nothing once the series is there: one look
/// into a dictionary where there are labels, and an addition.
/// </summary>
internal sealed class MetricFamily
{
    /// <summary>A safety net: no list of labels should come near it.</summary>
    private const int MostSeries = 2000;

    // For instruments that say nothing of theirs.
    private static readonly double[] DefaultBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    private readonly ConcurrentDictionary<LabelValues, MetricSeries> series = new();
    private readonly string[] tags;
    private readonly double[] bounds;
    private readonly MetricSeries? only;

    public MetricFamily(Instrument instrument, string[] tags)
    {
        this.tags = tags;
        Kind = KindOf(instrument);
        IsObservable = instrument.IsObservable;
        Name = PrometheusName.Of(instrument, Kind);
        Help = instrument.Description ?? "";
        LabelNames = [.. tags.Select(PrometheusName.Of)];
        bounds = Kind is MetricKind.Histogram ? BoundsOf(instrument) : [];
        if (tags.Length == 0 && !IsObservable) series[default] = only = new MetricSeries(bounds);
    }

    public string Name { get; }

    public string Help { get; }

    public MetricKind Kind { get; }

    public bool IsObservable { get; }

    public IReadOnlyList<string> LabelNames { get; }

    public IEnumerable<KeyValuePair<LabelValues, MetricSeries>> Series => series;

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> measured)
    {
        var found = only ?? Find(measured);
        if (found is null) return;
        if (Kind is MetricKind.Histogram) found.Observe(value);
        else found.Add(value);
    }

    /// <summary>Observed values are whole each time: what is not observed any more is not shown any more.</summary>
    public void Forget() => series.Clear();

    private MetricSeries? Find(ReadOnlySpan<KeyValuePair<string, object?>> measured)
    {
        var key = KeyOf(measured);
        if (series.TryGetValue(key, out var known)) return known;
        return series.Count >= MostSeries ? null : series.GetOrAdd(key, static (_, bounds) => new(bounds), bounds);
    }

    private LabelValues KeyOf(ReadOnlySpan<KeyValuePair<string, object?>> measured)
    {
        object? first = null, second = null, third = null;
        foreach (ref readonly var tag in measured)
        {
            if (tags.Length > 0 && tag.Key == tags[0]) first = tag.Value;
            else if (tags.Length > 1 && tag.Key == tags[1]) second = tag.Value;
            else if (tags.Length > 2 && tag.Key == tags[2]) third = tag.Value;
        }

        return new(first, second, third);
    }

    private static MetricKind KindOf(Instrument instrument)
    {
        var type = instrument.GetType().GetGenericTypeDefinition();
        if (type == typeof(Histogram<>)) return MetricKind.Histogram;
        return type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? MetricKind.Counter : MetricKind.Gauge;
    }

    private static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { Count: > 0 } advised } => [.. advised],
        Histogram<int> { Advice.HistogramBucketBoundaries: { Count: > 0 } advised } => [.. advised.Select(b => (double)b)],
        _ => DefaultBounds,
    };
}

/// <summary>One line of a counter or gauge, or one histogram.</summary>
internal sealed class MetricSeries(double[] bounds)
{
    private readonly long[] counts = new long[bounds.Length + 1];
    private double sum;

    public IReadOnlyList<double> Bounds => bounds;

    /// <summary>Of a counter or gauge: its value. Of a histogram: the sum of what was observed.</summary>
    public double Value => Volatile.Read(ref sum);

    /// <summary>How many observations fell into each bucket; the last is for those beyond all bounds.</summary>
    public long[] Counts()
    {
        var copy = new long[counts.Length];
        for (var i = 0; i < copy.Length; i++) copy[i] = Volatile.Read(ref counts[i]);
        return copy;
    }

    public void Observe(double value)
    {
        var bucket = 0;
        while (bucket < bounds.Length && value > bounds[bucket]) bucket++;
        Interlocked.Increment(ref counts[bucket]);
        Add(value);
    }

    public void Add(double value)
    {
        var before = Volatile.Read(ref sum);
        while (true)
        {
            var found = Interlocked.CompareExchange(ref sum, before + value, before);
            if (BitConverter.DoubleToInt64Bits(found) == BitConverter.DoubleToInt64Bits(before)) return;
            before = found;
        }
    }
}
