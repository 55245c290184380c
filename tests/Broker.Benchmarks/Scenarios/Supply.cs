using Broker.Benchmarks.Harness;

namespace Broker.Benchmarks.Scenarios;

/// <summary>
/// A number of steps that is known beforehand and is worked off completely: nothing is left for the next scenario to
/// trip over, and workers find work until the end.
/// </summary>
internal sealed class Supply(long steps)
{
    private long _done;

    public long Steps => steps;

    public bool IsExhausted => Interlocked.Read(ref _done) >= steps;

    public void Done(int count = 1) => Interlocked.Add(ref _done, count);

    /// <summary>What a worker does when it was given nothing while others still hold steps.</summary>
    public static Task PauseAsync(CancellationToken ct) => Task.Delay(1, ct);

    public const int StepsInARun = 5;

    /// <summary>
    /// Runs two small rounds to find the speed, the first of which is spent on compiling, then one of about the wanted length.
    /// <paramref name="round"/> is given a number of runs to create and work off.
    /// </summary>
    public static async Task<Sample> MeasureAsync(BenchmarkOptions options, Func<int, Task<Sample>> round)
    {
        int least = options.Size(full: 100, small: 10);
        int RunsFor(Sample seen, TimeSpan length) =>
            (int)Math.Clamp(seen.Rate!.Value / StepsInARun * length.TotalSeconds, least, 20_000);

        var seen = await round(least);
        if (!options.Short)
        {
            seen = await round(RunsFor(seen, options.Length / 4));
        }

        return await round(RunsFor(seen, options.Length));
    }
}
