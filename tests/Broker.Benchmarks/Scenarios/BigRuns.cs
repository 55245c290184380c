using System.Diagnostics;
using System.Globalization;
using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Http;

namespace Broker.Benchmarks.Scenarios;

/// <summary>Shapes that a careless design pays for with the square of their size.</summary>
internal static class BigRuns
{
    private const int Workers = 32, Definers = 8;

    public static IEnumerable<Scenario> On(Database database)
    {
        yield return new(Naming.On("fan-out-10000", database), "steps", Naming.On("jobs-pair-32", database), (lab, ct) =>
        {
            var width = lab.Options.Size(full: 10_000, small: 200);
            string[] branches = [.. Enumerable.Range(0, width).Select(Name)];
            return OneRunAsync(lab, database, [.. branches.Select(id => (id, Array.Empty<string>())), ("join", branches)], Workers, ct);
        });
        yield return new(Naming.On("chain-10000", database), "steps", Naming.On("jobs-pair-1", database), (lab, ct) =>
            OneRunAsync(lab, database, [.. Chain(lab.Options.Size(full: 10_000, small: 50))], workers: 1, ct));
        yield return new(Naming.On("definitions-1000", database), "steps", Naming.On("jobs-pair-32", database), (lab, ct) =>
            ManyDefinitionsAsync(lab, database, lab.Options.Size(full: 1_000, small: 20), ct));
    }

    /// <summary>Jobs that follow one another.</summary>
    public static IEnumerable<(string Id, string[] After)> Chain(int length) =>
        Enumerable.Range(0, length).Select(i => (Name(i), i == 0 ? Array.Empty<string>() : [Name(i - 1)]));

    private static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"s{index}");

    private static async Task<Sample> OneRunAsync(
        Lab lab, Database database, IReadOnlyList<(string Id, string[] After)> jobs, int workers, CancellationToken ct)
    {
        var site = await lab.SharedAsync(database);
        var label = lab.NewName("big");
        using var connection = await RawConnection.ConnectAsync(site.Address, ct);
        var defining = Stopwatch.GetTimestamp();
        var workflow = await connection.DefineJobsAsync(Bodies.Jobs(label, label, jobs), ct);
        var defined = Stopwatch.GetElapsedTime(defining);
        var starting = Stopwatch.GetTimestamp();
        await connection.PostAsync($"/api/workflows/{workflow}/run", default, ct).ExpectAsync(202);
        var started = Stopwatch.GetElapsedTime(starting);
        var sample = await JobLoad.WorkOffAsync(site, label, new Supply(jobs.Count), workers, JobPairs.Singly, ct);
        var reading = Stopwatch.GetTimestamp();
        await connection.GetAsync($"/api/workflows/{workflow}/status", ct).ExpectAsync(200);
        return sample with
        {
            Extras = new Dictionary<string, double>
            {
                ["define ms"] = defined.TotalMilliseconds,
                ["start ms"] = started.TotalMilliseconds,
                ["read ms"] = Stopwatch.GetElapsedTime(reading).TotalMilliseconds,
            },
        };
    }

    private static async Task<Sample> ManyDefinitionsAsync(Lab lab, Database database, int count, CancellationToken ct)
    {
        var site = await lab.SharedAsync(database);
        var label = lab.NewName("many");
        var defining = await Load.RunAsync(Definers, async (definer, _, ct) =>
        {
            using var connection = await RawConnection.ConnectAsync(site.Address, ct);
            long defined = 0;
            for (var i = definer; i < count; i += Definers, defined++)
            {
                var workflow = await connection.DefineJobsAsync(Bodies.FiveStepJobs(lab.NewName(label), label), ct);
                await connection.PostAsync($"/api/workflows/{workflow}/run", default, ct).ExpectAsync(202);
            }

            return defined;
        }, ct);
        var supply = new Supply((long)count * Supply.StepsInARun);
        var sample = await JobLoad.WorkOffAsync(site, label, supply, Workers, JobPairs.Singly, ct);
        return sample with { Extras = new Dictionary<string, double> { ["defined and started/s"] = defining.Rate!.Value } };
    }
}
