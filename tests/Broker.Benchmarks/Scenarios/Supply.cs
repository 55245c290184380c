using Broker.Benchmarks.Harness;

namespace Broker.Benchmarks.Scenarios;

/// <summary>
/// A number of steps that is known beforehand and is worked off completely: nothing is left for the next scenario to
/// trip over, and workers find work until the end.
/// </summary>
internal sealed class Supply(long steps)
{
    private long _done;

    public bool IsExhausted => Interlocked.Read(ref _done) >= steps;

    public void Done(int count = 1) => Interlocked.Add(ref _done, count);

    /// <summary>What a worker does when it was given nothing while others still hold steps.</summary>
    public static Task PauseAsync(CancellationToken ct) => Task.Delay(1, ct);

    /// <summary>
    /// Runs a small round to find the speed (and to let the runtime compile), then one of about the wanted length.
    /// <paramref name="round"/> is given a number of runs to create and work off.
    /// </summary>
    public static async Task<Sample> MeasureAsync(BenchmarkOptions options, Func<int, Task<Sample>> round)
    {
        var trial = await round(options.Size(full: 100, small: 10));
        double runsASecond = trial.Rate!.Value / StepsInARun;
        int runs = (int)Math.Clamp(runsASecond * options.Length.TotalSeconds, options.Size(full: 100, small: 10), 20_000);
        return await round(runs);
    }

    public const int StepsInARun = 5;
}
