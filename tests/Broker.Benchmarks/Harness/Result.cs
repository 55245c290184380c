namespace Broker.Benchmarks.Harness;

/// <summary>Rounds of one scenario.</summary>
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
    public double? Percentile(double share) => MedianOf([.. Samples.Select(sample => sample.Percentile(share)).OfType<double>()]);

    /// <summary>
    /// A figure in proportion to a yardstick's: the median of the rounds, each with the yardstick of the same round. A machine that
    /// is a third slower in one of them is so for both; the ratio of two medians took one from here and one from there.
    /// </summary>
    public double? RatioTo(Result? yardstick, Func<Sample, double?> figure) =>
        yardstick is null ? null : MedianOf([.. Samples.Zip(yardstick.Samples, (own, other) => figure(own) / figure(other)).OfType<double>()]);

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
