using System.Diagnostics;

namespace Broker.Benchmarks.Harness;

/// <summary>One measurement, made once a round.</summary>
/// <param name="Name">Name in the table; --only matches parts of it.</param>
/// <param name="Unit">Unit of the rate.</param>
/// <param name="ComparedWith">The scenario whose rate the table's ratio is taken of.</param>
/// <param name="RunAsync">One round.</param>
internal sealed record Scenario(string Name, string Unit, string? ComparedWith, Func<Lab, CancellationToken, Task<Sample>> RunAsync)
{
    public IReadOnlyList<Target> Targets { get; init; } = [];

    /// <summary>The scenario behind which it runs, so that the two meet the same machine; null: it is compared with none.</summary>
    public string? Yardstick => Targets.Select(target => target.Yardstick).FirstOrDefault(name => name is not null) ?? ComparedWith;
}

/// <summary>Measurement of one round.</summary>
internal sealed record Sample(long Count, TimeSpan Elapsed, IReadOnlyList<Latencies> Latencies)
{
    private readonly Lazy<IReadOnlyList<long>> sorted = new(() => [.. Latencies.SelectMany(l => l.Ticks).Order()]);

    public IReadOnlyList<long> SortedTicks => sorted.Value;

    public IReadOnlyDictionary<string, double> Extras { get; init; } = new Dictionary<string, double>();

    /// <summary>Null where the scenario measures something else than a rate.</summary>
    public double? Rate => Count == 0 ? null : Count / Elapsed.TotalSeconds;

    /// <summary>Milliseconds below which this share of the latencies lies; null when none were noted.</summary>
    public double? Percentile(double share) => SortedTicks is { Count: > 0 } ticks
        ? ticks[(int)Math.Ceiling(share * ticks.Count) - 1] * 1000.0 / Stopwatch.Frequency
        : null;
}

/// <summary>Durations that one worker noted; merged when the round is over, so that noting costs nothing.</summary>
internal sealed class Latencies
{
    private readonly List<long> ticks = [];

    public IReadOnlyList<long> Ticks => ticks;

    public void Note(long startTimestamp) => ticks.Add(Stopwatch.GetTimestamp() - startTimestamp);
}

/// <summary>Many workers at once.</summary>
internal static class Load
{
    /// <summary>Runs the workers to their end. Each answers how much it did. The first that fails stops the others.</summary>
    public static async Task<Sample> RunAsync(int workers, Func<int, Latencies, CancellationToken, Task<long>> work, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var latencies = Enumerable.Range(0, workers).Select(_ => new Latencies()).ToArray();
        var start = Stopwatch.GetTimestamp();
        var running = latencies.Select((own, worker) => Task.Run(() => work(worker, own, stop.Token), ct)).ToList();
        Task? failed = null;
        await foreach (var ended in Task.WhenEach(running))
        {
            if (!ended.IsCompletedSuccessfully)
            {
                failed ??= ended;
                await stop.CancelAsync();
            }
        }

        var elapsed = Stopwatch.GetElapsedTime(start);
        await (failed ?? Task.CompletedTask);
        var counts = await Task.WhenAll(running);
        return new Sample(counts.Sum(), elapsed, latencies);
    }
}
