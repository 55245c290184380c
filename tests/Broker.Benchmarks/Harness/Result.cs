using System.Diagnostics;

namespace Broker.Benchmarks.Harness;

/// <summary>All rounds of one scenario.</summary>
internal sealed class Result(Scenario scenario)
{
    private long[]? _sorted;

    public Scenario Scenario { get; } = scenario;

    public List<Sample> Samples { get; } = [];

    public string? Failure { get; set; }

    public IReadOnlyList<double> Rates => [.. Samples.Select(s => s.Rate).OfType<double>()];

    public double? Median => MedianOf(Rates);

    /// <summary>Names of the extra figures, each with the median of its rounds.</summary>
    public IReadOnlyDictionary<string, double> Extras => Samples
        .SelectMany(s => s.Extras)
        .GroupBy(e => e.Key)
        .ToDictionary(e => e.Key, e => MedianOf([.. e.Select(v => v.Value)])!.Value);

    /// <summary>Milliseconds below which this share of all rounds' latencies lies; null when none were noted.</summary>
    public double? Percentile(double share)
    {
        _sorted ??= [.. Samples.SelectMany(s => s.Latencies).SelectMany(l => l.Ticks).Order()];
        return _sorted.Length == 0
            ? null
            : _sorted[(int)Math.Min(_sorted.Length - 1, Math.Ceiling(share * _sorted.Length) - 1)] * 1000.0 / Stopwatch.Frequency;
    }

    private static double? MedianOf(IReadOnlyList<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count switch
        {
            0 => null,
            var n when n % 2 == 1 => sorted[n / 2],
            var n => (sorted[(n / 2) - 1] + sorted[n / 2]) / 2,
        };
    }
}
