using System.Diagnostics;
using System.Globalization;
using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Http;

namespace Broker.Benchmarks.Scenarios;

/// <summary>Claims that wait: how soon they hear of work, and what they cost while there is none.</summary>
internal static class ParkedClaims
{
    // Long enough for a request to be parked before the report that answers it is sent.
    private static readonly TimeSpan UntilParked = TimeSpan.FromMilliseconds(20);

    public static IEnumerable<Scenario> On(Database database)
    {
        yield return new(Naming.On("hand-over-idle", database), "hand-overs", null, (lab, ct) => HandOverAsync(lab, database, ct));
        yield return new(Naming.On("parked-2000-idle", database), "claims", null, (lab, ct) => IdleAsync(lab, database, ct));
    }

    /// <summary>A chain whose steps two workers do in turn: the time from one's report to the other's parked claim being answered.</summary>
    private static async Task<Sample> HandOverAsync(Lab lab, Database database, CancellationToken ct)
    {
        var site = await lab.SharedAsync(database);
        string label = lab.NewName("hand");
        int length = lab.Options.Size(full: 200, small: 10);
        using var reporter = await RawConnection.ConnectAsync(site.Address, ct);
        using var other = await RawConnection.ConnectAsync(site.Address, ct);
        string workflow = await reporter.DefineJobsAsync(Bodies.Jobs(label, label, BigRuns.Chain(length)), ct);
        await reporter.StartInstancesAsync(workflow, 1, label, ct);

        byte[] claim = Bodies.Claim(label, label, wait: 20);
        var latencies = new Latencies();
        long start = Stopwatch.GetTimestamp();
        var (holder, waiter) = (reporter, other);
        string lease = await holder.ClaimAsync(claim, ct) ?? throw new InvalidDataException("A started run had no first job.");
        for (int step = 1; step < length; step++)
        {
            var parked = waiter.ClaimAsync(claim, ct).AsTask();
            await Task.Delay(UntilParked, ct);
            long began = Stopwatch.GetTimestamp();
            var reported = holder.CompleteAsync(lease, ct).AsTask();
            lease = await parked ?? throw new InvalidDataException("A parked claim was given nothing though a job was ready.");
            latencies.Note(began);
            await reported;
            (holder, waiter) = (waiter, holder);
        }

        await holder.CompleteAsync(lease, ct);
        return new Sample(0, Stopwatch.GetElapsedTime(start), [latencies]);
    }

    private static async Task<Sample> IdleAsync(Lab lab, Database database, CancellationToken ct)
    {
        var site = await lab.SharedAsync(database);
        string label = lab.NewName("idle");
        var connections = new List<RawConnection>();
        try
        {
            List<Task> parked = [];
            while (connections.Count < lab.Options.Size(full: 2_000, small: 200))
            {
                var connection = await RawConnection.ConnectAsync(site.Address, ct);
                connections.Add(connection);
                byte[] claim = Bodies.Claim(string.Create(CultureInfo.InvariantCulture, $"{label}-{connections.Count}"), label, wait: 60);
                parked.Add(connection.PostAsync("/api/jobs/claim", claim, ct).AsTask());
            }

            // The last ones are on their way, and PostgreSQL's backends tell their counts within a second of falling idle.
            await Task.Delay(TimeSpan.FromSeconds(lab.Options.Short ? 0.2 : 2), ct);
            var broker = site.Brokers[0];
            double cpu = ProcessUsage.CpuSeconds(broker.Id);
            long? transactions = await site.TransactionsAsync();
            long start = Stopwatch.GetTimestamp();
            await Task.Delay(lab.Options.Length * 2, ct);
            var elapsed = Stopwatch.GetElapsedTime(start);
            if (parked.Find(task => task.IsCompleted) is { } early)
            {
                await early;
                throw new InvalidDataException("A parked claim was answered though there was no work.");
            }

            var extras = new Dictionary<string, double>
            {
                ["broker cpu %"] = (ProcessUsage.CpuSeconds(broker.Id) - cpu) * 100 / elapsed.TotalSeconds,
                ["broker MB"] = ProcessUsage.ResidentMegabytes(broker.Id),
            };
            if (await site.TransactionsAsync() is { } after && transactions is { } before)
            {
                extras["transactions/s"] = (after - before) / elapsed.TotalSeconds;
            }

            return new Sample(0, elapsed, []) { Extras = extras };
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }
}
