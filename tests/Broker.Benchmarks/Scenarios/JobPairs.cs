using System.Diagnostics;
using System.Globalization;
using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Http;

namespace Broker.Benchmarks.Scenarios;

/// <summary>Runs of five steps worked off through the jobs dialect: singly, with the next claim in the report, in batches.</summary>
internal static class JobPairs
{
    private delegate Task<long> Worker(RawConnection connection, string name, string label, Supply supply, Latencies latencies, CancellationToken ct);

    public static IEnumerable<Scenario> On(Database database)
    {
        foreach (int workers in (int[])[32, 128])
        {
            yield return Of($"jobs-pair-{workers}", $"http-ceiling-{workers}", database, workers, SinglyAsync);
            yield return Of($"jobs-complete-and-claim-{workers}", $"http-ceiling-{workers}", database, workers, ReportAndClaimAsync);
        }

        foreach (var (batch, workers) in ((int, int)[])[(10, 8), (100, 4)])
        {
            yield return Of(
                string.Create(CultureInfo.InvariantCulture, $"jobs-batch-{batch}x{workers}"),
                database == Database.Postgres ? "raw-sql-batch200-4" : "raw-sqlite-batch200",
                database,
                workers,
                (connection, name, label, supply, latencies, ct) => BatchesAsync(connection, name, label, batch, supply, latencies, ct));
        }

        if (database == Database.Postgres)
        {
            yield return Of("jobs-pair-32-on-3-brokers", "jobs-pair-32@postgres", database, 32, SinglyAsync, brokers: 3);
        }
    }

    private static Scenario Of(string name, string comparedWith, Database database, int workers, Worker work, int brokers = 1) => new(
        Naming.On(name, database), "steps", comparedWith, async (lab, ct) =>
        {
            if (brokers == 1)
            {
                return await MeasureAsync(lab, await lab.SharedAsync(database), workers, work, ct);
            }

            await using var site = await lab.OpenAsync(database, brokers);
            return await MeasureAsync(lab, site, workers, work, ct);
        });

    private static async Task<Sample> MeasureAsync(Lab lab, Site site, int workers, Worker work, CancellationToken ct)
    {
        double? allocated = null;
        double cpu = 0;
        long? writes = null;
        var sample = await Supply.MeasureAsync(lab.Options, async runs =>
        {
            string label = lab.NewName("pair");
            using (var connection = await RawConnection.ConnectAsync(site.Address, ct))
            {
                string workflow = await connection.DefineJobsAsync(Bodies.FiveStepJobs(label, label), ct);
                await connection.StartInstancesAsync(workflow, runs, label, ct);
            }

            allocated = await AllocatedAsync(site, ct);
            cpu = CpuSeconds(site);
            writes = await site.WritesAsync();
            var supply = new Supply(runs * Supply.StepsInARun);
            return await Load.RunAsync(workers, async (worker, latencies, ct) =>
            {
                using var connection = await RawConnection.ConnectAsync(site.Brokers[worker % site.Brokers.Count].Address, ct);
                return await work(connection, string.Create(CultureInfo.InvariantCulture, $"{label}-w{worker}"), label, supply, latencies, ct);
            }, ct);
        });

        var extras = new Dictionary<string, double>
        {
            ["broker cpu us/step"] = (CpuSeconds(site) - cpu) * 1e6 / sample.Count,
            ["broker MB"] = site.Brokers.Sum(broker => ProcessUsage.ResidentMegabytes(broker.Id)),
        };
        if (await AllocatedAsync(site, ct) is { } after && allocated is { } before)
        {
            extras["allocated bytes/step"] = (after - before) / sample.Count;
        }

        if (await site.WritesAsync() is { } written && writes is { } earlier)
        {
            extras["commits/step"] = (double)(written - earlier) / sample.Count;
        }

        return sample with { Extras = extras };
    }

    private static async Task<long> SinglyAsync(
        RawConnection connection, string name, string label, Supply supply, Latencies latencies, CancellationToken ct)
    {
        byte[] claim = Bodies.Claim(name, label);
        long done = 0;
        while (!supply.IsExhausted)
        {
            long began = Stopwatch.GetTimestamp();
            if (await connection.ClaimAsync(claim, ct) is not { } lease)
            {
                await Supply.PauseAsync(ct);
                continue;
            }

            await connection.CompleteAsync(lease, ct);
            latencies.Note(began);
            supply.Done();
            done++;
        }

        return done;
    }

    /// <summary>Every report asks for the next job; only a worker that got none claims by itself.</summary>
    internal static async Task<long> ReportAndClaimAsync(
        RawConnection connection, string name, string label, Supply supply, Latencies latencies, CancellationToken ct)
    {
        byte[] claim = Bodies.Claim(name, label, count: 1);
        List<string> held = [];
        long done = 0;
        while (!supply.IsExhausted)
        {
            if (held.Count == 0)
            {
                held = await connection.ClaimManyAsync(claim, ct);
                if (held.Count == 0)
                {
                    await Supply.PauseAsync(ct);
                    continue;
                }
            }

            long began = Stopwatch.GetTimestamp();
            held = await connection.CompleteManyAsync(Bodies.Complete(held, name, label), ct);
            latencies.Note(began);
            supply.Done();
            done++;
        }

        return done;
    }

    internal static async Task<long> BatchesAsync(
        RawConnection connection, string name, string label, int batch, Supply supply, Latencies latencies, CancellationToken ct)
    {
        byte[] claim = Bodies.Claim(name, label, batch);
        long done = 0;
        while (!supply.IsExhausted)
        {
            long began = Stopwatch.GetTimestamp();
            var held = await connection.ClaimManyAsync(claim, ct);
            if (held.Count == 0)
            {
                await Supply.PauseAsync(ct);
                continue;
            }

            await connection.CompleteManyAsync(Bodies.Complete(held), ct);
            latencies.Note(began);
            supply.Done(held.Count);
            done += held.Count;
        }

        return done;
    }

    private static double CpuSeconds(Site site) => site.Brokers.Sum(broker => ProcessUsage.CpuSeconds(broker.Id));

    private static async Task<double?> AllocatedAsync(Site site, CancellationToken ct)
    {
        double? sum = 0;
        foreach (var broker in site.Brokers)
        {
            sum += await ProcessUsage.AllocatedBytesAsync(broker.Address, ct);
        }

        return sum;
    }
}
