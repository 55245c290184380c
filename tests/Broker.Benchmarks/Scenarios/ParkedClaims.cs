using System.Diagnostics;
using System.Globalization;
using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Http;

namespace Broker.Benchmarks.Scenarios;

/// <summary>Waiting claims: delay until they get a step, and cost while there is none.</summary>
internal static class ParkedClaims
{
    public const string CpuShare = "broker % of a core";

    /// <summary>PostgreSQL's count for a database. A query outside of a transaction counts as one.</summary>
    public const string Transactions = "transactions/s";

    // Long enough for a request to be parked before the report that answers it is sent.
    private static readonly TimeSpan UntilParked = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan LeastIdleTime = TimeSpan.FromSeconds(10);

    public static IEnumerable<Scenario> On(Database database)
    {
        yield return new(Naming.On("hand-over-idle", database), "hand-overs", null, async (lab, ct) =>
            await HandOverAsync(lab, await lab.SharedAsync(database), ct));
        yield return new(Naming.On("hand-over-half-load", database), "hand-overs", null, (lab, ct) => UnderLoadAsync(lab, database, ct));
        yield return new(Naming.On("parked-2000-idle", database), "claims", null, (lab, ct) => IdleAsync(lab, database, ct));
    }

    private static int ChainLength(Lab lab) => lab.Options.Size(full: 200, small: 10);

    /// <summary>A chain whose steps two workers do in turn: the time from one's report to the other's parked claim being answered.</summary>
    private static async Task<Sample> HandOverAsync(Lab lab, Site site, CancellationToken ct)
    {
        var label = lab.NewName("hand");
        var length = ChainLength(lab);
        using var reporter = await RawConnection.ConnectAsync(site.Address, ct);
        using var other = await RawConnection.ConnectAsync(site.Address, ct);
        var workflow = await reporter.DefineJobsAsync(Bodies.Jobs(label, label, BigRuns.Chain(length)), ct);
        await reporter.StartInstancesAsync(workflow, 1, label, ct);

        var claim = Bodies.Claim(label, label, wait: 20);
        var latencies = new Latencies();
        var start = Stopwatch.GetTimestamp();
        var (holder, waiter) = (reporter, other);
        var lease = await holder.ClaimAsync(claim, ct) ?? throw new InvalidDataException("A started run had no first job.");
        for (var step = 1; step < length; step++)
        {
            var parked = waiter.ClaimAsync(claim, ct).AsTask();
            await Task.Delay(UntilParked, TimeProvider.System, ct);
            var began = Stopwatch.GetTimestamp();
            var reported = holder.CompleteAsync(lease, ct).AsTask();
            lease = await parked ?? throw new InvalidDataException("A parked claim was given nothing though a job was ready.");
            latencies.Note(began);
            await reported;
            (holder, waiter) = (waiter, holder);
        }

        await holder.CompleteAsync(lease, ct);
        return new Sample(0, Stopwatch.GetElapsedTime(start), [latencies]);
    }

    /// <summary>The same while 32 workers work at half of their rate.</summary>
    private static async Task<Sample> UnderLoadAsync(Lab lab, Database database, CancellationToken ct)
    {
        const int workers = 32;
        var site = await lab.SharedAsync(database);
        var half = await JobPairs.HalfLoadAsync(lab, site, database, ct);
        // Twice the need of a hand-over of usual length, so that the load outlasts the chain; the rest is then done at full speed.
        var runs = JobLoad.RunsFor(half, UntilParked * 2 * ChainLength(lab));
        var pace = new Pace(half, workers);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var load = new JobLoad(lab, site, workers, worker => JobPairs.SinglyAsync(worker, pace)).RunAsync(runs, stop.Token);
        Sample handOver;
        bool outlasted;
        try
        {
            handOver = await HandOverAsync(lab, site, ct);
            outlasted = !load.IsCompleted;
            pace.End();
        }
        catch
        {
            await stop.CancelAsync();
            await Task.WhenAny(load);
            throw;
        }

        await load;
        return handOver with { Extras = new Dictionary<string, double> { ["load steps/s"] = outlasted ? half : 0 } };
    }

    private static async Task<Sample> IdleAsync(Lab lab, Database database, CancellationToken ct)
    {
        var site = await lab.SharedAsync(database);
        var label = lab.NewName("idle");
        var connections = new List<RawConnection>();
        try
        {
            List<Task> parked = [];
            while (connections.Count < lab.Options.Size(full: 2_000, small: 200))
            {
                var connection = await RawConnection.ConnectAsync(site.Address, ct);
                connections.Add(connection);
                var claim = Bodies.Claim(string.Create(CultureInfo.InvariantCulture, $"{label}-{connections.Count}"), label, wait: 60);
                parked.Add(connection.PostAsync("/api/jobs/claim", claim, ct).AsTask());
            }

            await Task.Delay(UntilSettled(lab.Options, database), TimeProvider.System, ct);
            var broker = site.Brokers[0];
            var cpu = ProcessUsage.CpuSeconds(broker.Id);
            var transactions = await site.TransactionsAsync();
            var start = Stopwatch.GetTimestamp();
            await Task.Delay(lab.Options.IsMeasured && lab.Options.Length < LeastIdleTime ? LeastIdleTime : lab.Options.Length, TimeProvider.System, ct);
            var elapsed = Stopwatch.GetElapsedTime(start);
            if (parked.Find(task => task.IsCompleted) is { } early)
            {
                await early;
                throw new InvalidDataException("A parked claim was answered though there was no work.");
            }

            var extras = new Dictionary<string, double>
            {
                [CpuShare] = (ProcessUsage.CpuSeconds(broker.Id) - cpu) * 100 / elapsed.TotalSeconds,
                ["broker MB"] = ProcessUsage.ResidentMegabytes(broker.Id),
            };
            if (await site.TransactionsAsync() is { } after && transactions is { } before)
            {
                extras[Transactions] = (after - before) / elapsed.TotalSeconds;
            }

            return new Sample(0, elapsed, []) { Extras = extras };
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }

    // The last claims are on their way, and a backend of PostgreSQL that falls idle keeps its counts for up to ten seconds.
    private static TimeSpan UntilSettled(BenchmarkOptions options, Database database) => TimeSpan.FromSeconds(
        options.IsMeasured ? database switch { Database.Postgres => 11, Database.Sqlite => 3 } : 0.2);
}
