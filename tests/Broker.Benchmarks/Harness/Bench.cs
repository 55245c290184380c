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
        if (!options.Short)
        {
            // Without it the first rounds were a third slower than the others. The broker still ran unoptimised code, and the compiler took 25 %
            // of the processors for up to 15 s.
            lab.Options = options.Rehearsal;
            await RoundAsync("rehearsal", results, lab, progress, (_, _) => { });
        }

        lab.Options = options;
        for (var round = 1; round <= options.Rounds; round++)
        {
            await RoundAsync(string.Create(CultureInfo.InvariantCulture, $"round {round}"), results, lab, progress, (result, sample) => result.Samples.Add(sample));
        }

        return results;
    }

    private static async Task RoundAsync(string name, List<Result> results, Lab lab, TextWriter progress, Action<Result, Sample> keep)
    {
        foreach (var result in results.Where(r => r.Failure is null))
        {
            try
            {
                var sample = await RunAsync(result.Scenario, lab);
                keep(result, sample);
                await progress.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}: {result.Scenario.Name} {sample.Rate:N0} {result.Scenario.Unit} in {sample.Elapsed.TotalSeconds:0.00} s"));
            }
#pragma warning disable CA1031 // One broken scenario must not hide the others; it makes the exit code 1.
            catch (Exception e)
#pragma warning restore CA1031
            {
                result.Failure = e.Message;
                await progress.WriteLineAsync($"{name}: {result.Scenario.Name} FAILED: {e}");
            }
        }
    }

    private static async Task<Sample> RunAsync(Scenario scenario, Lab lab)
    {
        using var limit = new CancellationTokenSource(Limit);
        var sample = await scenario.RunAsync(lab, limit.Token);
        if (sample.Rate is { } rate) lab.LatestRates[scenario.Name] = rate;

        return sample;
    }
}
