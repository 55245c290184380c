using System.Globalization;

namespace Broker.Benchmarks.Harness;

/// <summary>Target of a scenario: a figure of its own, or one in proportion to a yardstick of the same run.</summary>
/// <param name="Asked">The demand in words.</param>
/// <param name="Limit">The number to reach.</param>
/// <param name="IsLeast">Whether the limit is the least that will do, not the most.</param>
/// <param name="MeasureOf">The figure; null when its scenario or yardstick did not run.</param>
internal sealed record Target(string Asked, double Limit, bool IsLeast, Func<Result, IReadOnlyList<Result>, double?> MeasureOf)
{
    /// <summary>The scenario in proportion to which the figure is taken; null: it stands for itself.</summary>
    public string? Yardstick { get; private init; }

    /// <summary>Null when the figure is missing.</summary>
    public bool? IsMetBy(double? measured) => measured is { } value ? (IsLeast ? value >= Limit : value <= Limit) : null;

    /// <summary>The rate in proportion to a yardstick's. <paramref name="weight"/>: value of one of the scenario's units in the yardstick's.</summary>
    public static Target RateOf(string yardstick, double least, double weight = 1) => new(
        weight == 1
            ? string.Create(CultureInfo.InvariantCulture, $"rate >= {least} x {yardstick}")
            : string.Create(CultureInfo.InvariantCulture, $"{weight} x rate >= {least} x {yardstick}"),
        least,
        IsLeast: true,
        (own, all) => weight * own.RatioTo(Find(all, yardstick), sample => sample.Rate))
    {
        Yardstick = yardstick,
    };

    /// <summary>The time of a step in proportion to that in a yardstick.</summary>
    public static Target CostOf(string yardstick, double most) => new(
        string.Create(CultureInfo.InvariantCulture, $"time per step <= {most} x {yardstick}"),
        most,
        IsLeast: false,
        (own, all) => 1 / own.RatioTo(Find(all, yardstick), sample => sample.Rate))
    {
        Yardstick = yardstick,
    };

    public static Target Latency(int percentile, double mostMilliseconds) => new(
        string.Create(CultureInfo.InvariantCulture, $"p{percentile} <= {mostMilliseconds} ms"),
        mostMilliseconds,
        IsLeast: false,
        (own, _) => own.Percentile(percentile / 100.0));

    public static Target LatencyOf(string yardstick, int percentile, double most) => new(
        string.Create(CultureInfo.InvariantCulture, $"p{percentile} <= {most} x {yardstick}"),
        most,
        IsLeast: false,
        (own, all) => own.RatioTo(Find(all, yardstick), sample => sample.Percentile(percentile / 100.0)))
    {
        Yardstick = yardstick,
    };

    /// <summary>One of the extra figures.</summary>
    public static Target Extra(string name, double most) => new(
        string.Create(CultureInfo.InvariantCulture, $"{name} <= {most}"),
        most,
        IsLeast: false,
        (own, _) => own.Extras.TryGetValue(name, out var value) ? value : null);

    private static Result? Find(IReadOnlyList<Result> all, string scenario) => all.FirstOrDefault(result => result.Scenario.Name == scenario);
}
