using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Broker.Storage.Tests.Model;

/// <summary>
/// Random schedules by concurrent clients, on PostgreSQL through two brokers. The sequential reference model has to explain every
/// answer and the outcome of each. BROKER_FAULTS=long plays 20,000 schedules on each engine and looks longer for small
/// ones; BROKER_MODEL_SCHEDULES sets another number, BROKER_MODEL_SEED the first seed: schedule n has the seed that is n higher.
/// </summary>
public abstract class ModelConformance : StoreTests
{
    private const int Side = 2;
    private const int MostWorkers = 4;

    // The rarest, a heartbeat without its fence, took 962 schedules once and more than 2,000 another time.
    private const int MostUntilCaught = 10_000;

    private readonly Func<ITestEngine> engines;

    private protected ModelConformance(Func<ITestEngine> engines)
        : base(engines()) => this.engines = engines;

    // The rarest spoils one commit in 50 of each batch loop.
    private const int MostPlays = 400;

    private List<InjectedFault> Plants => [.. TransactionFaults.All.Concat(StoreFaults.All).Where(plant => Engine.IsShared || !plant.NeedsPeers)];

    private static bool IsLong => Environment.GetEnvironmentVariable("BROKER_FAULTS") == "long";

    private static int Schedules => Setting("BROKER_MODEL_SCHEDULES", IsLong ? 20_000 : 150);

    /// <summary>The short form begins at the same seed each time: it guards what is known, the long form looks for more.</summary>
    private static int Seed { get; } = Setting("BROKER_MODEL_SEED", IsLong ? Environment.TickCount & 0xFFFFFF : 1);

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    private static void Print(string line) => TestContext.Current.TestOutputHelper!.WriteLine(line);

    [Fact]
    public async Task Some_order_of_concurrent_calls_explains_every_answer()
    {
        var (began, next, moves) = (Stopwatch.GetTimestamp(), 0, 0L);
        Caught? caught = null;
        await Task.WhenAll(Enumerable.Range(0, Side).Select(_ => Task.Run(async () =>
        {
            await using var cluster = await BrokerCluster.OpenAsync(engines(), plant: null, MostWorkers, Ct);
            while (Volatile.Read(ref caught) is null)
            {
                var number = Interlocked.Increment(ref next);
                if (number > Schedules) return;
                var schedule = Schedule.Random(Seed + number - 1);
                Interlocked.Add(ref moves, schedule.Moves.Count);
                if (await new ScheduleRunner(cluster, schedule, Ct).PlayAsync() is { } fault)
                    Interlocked.CompareExchange(ref caught, new Caught(Seed + number - 1, number, schedule, fault), null);
            }
        }, Ct)));

        if (caught is { } found)
        {
            await using var cluster = await BrokerCluster.OpenAsync(engines(), plant: null, MostWorkers, Ct);
            var (schedule, fault) = await ShrinkAsync(cluster, found, tries: 20, budget: 2_000);
            Assert.Fail($"Schedule with BROKER_MODEL_SEED={found.Seed} (found after {found.After}):\n{schedule}\n\n{fault}\n\nat first:\n{found.Fault}");
        }

        Print($"{Schedules} schedules with {moves} moves from seed {Seed}: {Stopwatch.GetElapsedTime(began).TotalSeconds:f1} s, all explained");
    }

    [Fact]
    public async Task Each_planted_fault_is_caught_by_the_schedule_that_shows_it()
    {
        var plants = Plants.Where(plant => plant.Shown is not null).ToList();
        var escaped = new ConcurrentBag<InjectedFault>();
        await Parallel.ForEachAsync(plants, new ParallelOptions { MaxDegreeOfParallelism = Side, CancellationToken = Ct }, async (plant, ct) =>
        {
            var schedule = Schedule.Parse(plant.Shown!);
            await using var cluster = await BrokerCluster.OpenAsync(engines(), plant, MostWorkers, ct);
            for (var plays = 0; plays < MostPlays; plays++)
            {
                if (await new ScheduleRunner(cluster, schedule, ct).PlayAsync() is not null) return;
            }

            escaped.Add(plant);
        });

        Print($"{plants.Count - escaped.Count} of {plants.Count} caught");
        Assert.Empty(escaped);
    }

    [Fact]
    public async Task Each_planted_fault_is_found_and_made_small()
    {
        // Searching and making small takes minutes: too long for every change.
        Assert.SkipUnless(IsLong, "BROKER_FAULTS=long plants faults.");
        var began = Stopwatch.GetTimestamp();
        var plants = Plants;
        var escaped = new ConcurrentBag<InjectedFault>();
        await Parallel.ForEachAsync(plants, new ParallelOptions { MaxDegreeOfParallelism = Side, CancellationToken = Ct }, async (plant, ct) =>
        {
            var planted = Stopwatch.GetTimestamp();
            await using var cluster = await BrokerCluster.OpenAsync(engines(), plant, MostWorkers, ct);
            if (await CatchAsync(cluster) is not { } found)
            {
                escaped.Add(plant);
                return;
            }

            var (schedule, fault) = await ShrinkAsync(cluster, found, tries: 10, budget: 200);
            Print($"Caught after {found.After} schedules (seed {found.Seed}), made small within {Stopwatch.GetElapsedTime(planted).TotalSeconds:f1} s: {plant}\n{schedule}\n{fault}\n");
        });

        Print($"{plants.Count - escaped.Count} of {plants.Count} caught, {Stopwatch.GetElapsedTime(began).TotalSeconds:f1} s");
        Assert.Empty(escaped);
    }

    private static async Task<Caught?> CatchAsync(BrokerCluster cluster)
    {
        for (var number = 1; number <= MostUntilCaught; number++)
        {
            var schedule = Schedule.Random(Seed + number - 1);
            if (await new ScheduleRunner(cluster, schedule, Ct).PlayAsync() is { } fault) return new(Seed + number - 1, number, schedule, fault);
        }

        return null;
    }

    private static Task<(Schedule Schedule, string Fault)> ShrinkAsync(BrokerCluster cluster, Caught found, int tries, int budget) =>
        new Shrinker(schedule => new ScheduleRunner(cluster, schedule, Ct).PlayAsync(), tries, budget).ShrinkAsync(found.Schedule, found.Fault);

    private sealed record Caught(int Seed, int After, Schedule Schedule, string Fault);
}
