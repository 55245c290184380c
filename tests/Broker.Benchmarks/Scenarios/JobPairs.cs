using System.Diagnostics;
using System.Globalization;
using Broker.Benchmarks.Harness;
using Broker.Storage.Contracts;

namespace Broker.Benchmarks.Scenarios;

/// <summary>Runs of five steps worked off through the jobs dialect: singly, with the next claim in the report, in batches.</summary>
internal static class JobPairs
{
    // No job is leased ahead: eager dispatch is measured with the broker dialect.
    private static readonly (string Name, Accelerators Off)[] WithoutOne =
    [
        ("run-cache", Accelerators.RunCache), ("result-cache", Accelerators.ResultCache), ("claim-loop", Accelerators.ClaimLoop), ("accelerators", Accelerators.All),
    ];

    public static IEnumerable<Scenario> On(Database database)
    {
        yield return Of("jobs-pair-1", null, database, 1, Singly);
        foreach (var workers in (int[])[32, 128])
        {
            yield return Of($"jobs-pair-{workers}", $"http-ceiling-{workers}", database, workers, Singly);
            yield return Of($"jobs-complete-and-claim-{workers}", $"http-ceiling-{workers}", database, workers, worker => ReportingAndClaimingAsync(worker, 1));
        }

        var full = Naming.On("jobs-pair-32", database);
        yield return new(Naming.On("jobs-pair-32-half-load", database), "steps", full, async (lab, ct) =>
        {
            var site = await lab.SharedAsync(database);
            var half = await HalfLoadAsync(lab, site, database, ct);
            return await new JobLoad(lab, site, 32, Paced(half, 32)).RunAsync(JobLoad.RunsFor(half, lab.Options.Length), ct);
        });

        foreach (var (batch, workers) in ((int, int)[])[(10, 8), (100, 4)])
        {
            yield return Of(
                string.Create(CultureInfo.InvariantCulture, $"jobs-batch-{batch}x{workers}"),
                database == Database.Postgres ? "raw-sql-batch200-4" : "raw-sqlite-batch200",
                database,
                workers,
                worker => ReportingAndClaimingAsync(worker, batch));
        }

        if (database == Database.Postgres)
        {
            yield return Of("jobs-pair-32-on-3-brokers", full, database, 32, Singly, purpose: "three", brokers: 3);
            foreach (var (name, off) in WithoutOne) yield return Of($"jobs-pair-32-without-{name}", full, database, 32, Singly, purpose: name, on: Accelerators.All & ~off);
        }
    }

    public static Scenario Of(
        string name, string? comparedWith, Database database, int workers, JobWork work, string purpose = "", int brokers = 1, Accelerators on = Accelerators.All) => new(
            Naming.On(name, database), "steps", comparedWith, async (lab, ct) =>
            {
                var load = new JobLoad(lab, await lab.SharedAsync(database, purpose, brokers, on), workers, work);

                // Several brokers take as many times longer to compile themselves on the same cores.
                for (var more = 1; more < brokers && lab.Options.IsRehearsal; more++) await MeasureAsync();

                return await MeasureAsync();

                Task<Sample> MeasureAsync() => Supply.MeasureAsync(lab, Naming.On(name, database), runs => load.RunAsync(runs, ct));
            });

    /// <summary>Half of the rate of 32 workers in pairs, as measured in this run, or now.</summary>
    public static async Task<double> HalfLoadAsync(Lab lab, Site site, Database database, CancellationToken ct)
    {
        var scenario = Naming.On("jobs-pair-32", database);
        if (!lab.LatestRates.TryGetValue(scenario, out var full))
        {
            var load = new JobLoad(lab, site, 32, Singly);
            full = (await Supply.MeasureAsync(lab, scenario, runs => load.RunAsync(runs, ct))).Rate!.Value;
        }

        return full / 2;
    }

    /// <summary>Claim, complete, claim, complete.</summary>
    public static Task<long> Singly(JobWorker worker) => SinglyAsync(worker, pace: null);

    /// <summary>The same at a steady rate over all workers.</summary>
    public static JobWork Paced(double perSecond, int workers)
    {
        var pace = new Pace(perSecond, workers);
        return worker => SinglyAsync(worker, pace);
    }

    public static async Task<long> SinglyAsync(JobWorker worker, Pace? pace)
    {
        var claim = Bodies.Claim(worker.Name, worker.Label);
        long done = 0;
        while (!worker.Supply.IsExhausted)
        {
            if (pace is not null) await pace.TurnAsync(worker.Index, done, worker.Ct);

            var began = Stopwatch.GetTimestamp();
            if (await worker.Connection.ClaimAsync(claim, worker.Ct) is not { } lease)
            {
                await Supply.PauseAsync(worker.Ct);
                continue;
            }

            worker.Latencies.Note(began);
            began = Stopwatch.GetTimestamp();
            await worker.Connection.CompleteAsync(lease, worker.Ct);
            worker.Latencies.Note(began);
            worker.Supply.Done();
            done++;
        }

        return done;
    }

    /// <summary>So many reports in one request, which asks for as many jobs; only a worker that got none claims by itself.</summary>
    private static async Task<long> ReportingAndClaimingAsync(JobWorker worker, int batch)
    {
        var claim = Bodies.Claim(worker.Name, worker.Label, batch);
        List<string> held = [];
        long done = 0;
        while (!worker.Supply.IsExhausted)
        {
            if (held.Count == 0)
            {
                held = await worker.Connection.ClaimManyAsync(claim, worker.Ct);
                if (held.Count == 0)
                {
                    await Supply.PauseAsync(worker.Ct);
                    continue;
                }
            }

            var count = held.Count;
            var began = Stopwatch.GetTimestamp();
            held = await worker.Connection.CompleteManyAsync(Bodies.Complete(held, claim), worker.Ct);
            worker.Latencies.Note(began);
            worker.Supply.Done(count);
            done += count;
        }

        return done;
    }
}
