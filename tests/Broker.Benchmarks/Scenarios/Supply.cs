using Broker.Benchmarks.Harness;

namespace Broker.Benchmarks.Scenarios;

/// <summary>
/// A fixed number of steps that workers finish completely. The next scenario finds no rest of them, and workers find work until
/// the end.
/// </summary>
internal sealed class Supply(long steps)
{
    private long done;

    public long Steps => steps;

    public bool IsExhausted => Interlocked.Read(ref done) >= steps;

    public void Done(int count = 1) => Interlocked.Add(ref done, count);

    /// <summary>Pause of a worker whose claim was empty while others still hold steps.</summary>
    public static Task PauseAsync(CancellationToken ct) => Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, ct);

    public const int StepsInARun = 5;

    /// <summary>
    /// One round of about the wanted length, at the speed that the scenario last had in this run; when it has not run yet, at that of two
    /// small rounds, the first of which is spent on compiling. <paramref name="round"/> is given a number of runs to create and work off.
    /// </summary>
    public static async Task<Sample> MeasureAsync(Lab lab, string scenario, Func<int, Task<Sample>> round)
    {
        var options = lab.Options;
        var least = options.Size(full: 100, small: 10);
        int RunsFor(double rate, TimeSpan length) => (int)Math.Clamp(rate / StepsInARun * length.TotalSeconds, least, 20_000);

        if (!lab.LatestRates.TryGetValue(scenario, out var rate))
        {
            rate = (await round(least)).Rate!.Value;
            if (!options.Short) rate = (await round(RunsFor(rate, options.Length / 4))).Rate!.Value;
        }

        return await round(RunsFor(rate, options.Length));
    }
}
