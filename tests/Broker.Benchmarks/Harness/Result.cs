using System.Diagnostics;

namespace Broker.Benchmarks.Harness;

/// <summary>All rounds of one scenario.</summary>
internal sealed class Result(Scenario scenario)
{
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

    /// <summary>Milliseconds below which this share of a round's latencies lies, the median of the rounds; null when none were noted.</summary>
    public double? Percentile(double share) => MedianOf([.. Samples
        .Select(sample => sample.SortedTicks)
        .Where(ticks => ticks.Count > 0)
        .Select(ticks => ticks[(int)Math.Ceiling(share * ticks.Count) - 1] * 1000.0 / Stopwatch.Frequency)]);

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
