using System.Globalization;

namespace Broker.Benchmarks.Harness;

/// <summary>
/// Runs every scenario once a round, so that a machine that grows slower or faster meanwhile does so for all of them.
/// </summary>
internal static class Bench
{
    // Loading ten million steps takes minutes.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    public static async Task<IReadOnlyList<Result>> RunAsync(
        IReadOnlyList<Scenario> scenarios, BenchmarkOptions options, Lab lab, TextWriter progress)
    {
        var results = scenarios.Select(scenario => new Result(scenario)).ToList();
        for (int round = 1; round <= options.Rounds; round++)
        {
            foreach (var result in results.Where(r => r.Failure is null))
            {
                try
                {
                    var sample = await MeasureAsync(result.Scenario, round, options, lab);
                    result.Samples.Add(sample);
                    await progress.WriteLineAsync(string.Create(
                        CultureInfo.InvariantCulture,
                        $"round {round}: {result.Scenario.Name} {sample.Rate:N0} {result.Scenario.Unit} in {sample.Elapsed.TotalSeconds:0.00} s"));
                }
#pragma warning disable CA1031 // One broken scenario must not hide the others; it makes the exit code 1.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    result.Failure = e.Message;
                    await progress.WriteLineAsync($"round {round}: {result.Scenario.Name} FAILED: {e}");
                }
            }
        }

        return results;
    }

    private static async Task<Sample> MeasureAsync(Scenario scenario, int round, BenchmarkOptions options, Lab lab)
    {
        using var limit = new CancellationTokenSource(Limit);
        if (round == 1 && !options.Short)
        {
            // Without it the first round was a third slower than the others: the broker still ran code compiled in haste.
            lab.Options = options.Rehearsal;
            await RunAsync(scenario, lab, limit.Token);
        }

        lab.Options = options;
        return await RunAsync(scenario, lab, limit.Token);
    }

    private static async Task<Sample> RunAsync(Scenario scenario, Lab lab, CancellationToken ct)
    {
        var sample = await scenario.RunAsync(lab, ct);
        if (sample.Rate is { } rate)
        {
            lab.LatestRates[scenario.Name] = rate;
        }

        return sample;
    }
}
