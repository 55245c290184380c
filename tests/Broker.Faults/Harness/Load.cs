using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Broker.Testing;
using Xunit;

namespace Broker.Faults.Harness;

/// <summary>Many runs of five steps (one, three side by side, one), and the workers that do them.</summary>
internal sealed class Load : IAsyncDisposable
{
    private const int StepsPerRun = 5;

    // Each kill may cost a step its lease, and so does each worker that overstays.
    private const string Retries = ""","max_retries":100""";

    private readonly CancellationTokenSource stop = new();
    private readonly List<TokenWorker> workers = [];
    private readonly Site site;
    private readonly string workflow;
    private readonly List<string> runs = [];
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private Task working = Task.CompletedTask;
    private Task feeding = Task.CompletedTask;
    private volatile bool fed;

    private Load(Site site, string workflow) => (this.site, this.workflow) = (site, workflow);

    public Ledger Ledger { get; } = new();

    public int Steps => runs.Count * StepsPerRun;

    public IReadOnlyList<TokenWorker> Workers => workers;

    public static async Task<Load> StartAsync(Site site, int workers, int overstayEvery, CancellationToken ct, int workMs = 60)
    {
        const string middle = """["first"]""";
        var workflow = await site.Http.DefineAsync(
            ct,
            Wire.Job("first", "true", more: Retries),
            Wire.Job("a", "true", middle, Retries),
            Wire.Job("b", "true", middle, Retries),
            Wire.Job("c", "true", middle, Retries),
            Wire.Job("last", "true", """["a","b","c"]""", Retries));
        var load = new Load(site, workflow);
        var addresses = site.Brokers.Select(b => b.Address).ToList();
        load.workers.AddRange(Enumerable.Range(0, workers).Select(i =>
            new TokenWorker($"w-{i}", addresses, load.Ledger, i) { OverstayEvery = overstayEvery, WorkMs = workMs }));
        load.working = Task.WhenAll(load.workers.Select(w => w.RunAsync(load.stop.Token)));
        return load;
    }

    /// <summary>Starts runs.</summary>
    public async Task StartRunsAsync(int count, CancellationToken ct)
    {
        foreach (var some in NewIds(count).Chunk(100))
        {
            var started = await site.Http.MustPostAsync($"/api/workflows/{workflow}/instances/batch", Batch(some), ct);
            Assert.Equal(some.Length, started["instances"]!.AsArray().Count);
        }
    }

    /// <summary>Starts runs as others end, so that about so many steps are left at any time; insists like a worker when brokers break.</summary>
    public void Feed(int steps)
    {
        fed = true;
        feeding = Task.Run(async () =>
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
            var addresses = site.Addresses;
            for (var broker = 0; fed;)
            {
                if (Steps - Ledger.AcceptedCount - Ledger.Unanswered.Count >= steps)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
                    continue;
                }

                // Begun is begun: a batch whose answer was lost may have been started, and a second one with the same ids adds nothing.
                for (var body = Batch(NewIds(20)); ;)
                {
                    try
                    {
                        var (status, _) = await http.PostAsync(new Uri(addresses[broker % addresses.Count], $"api/workflows/{workflow}/instances/batch").AbsoluteUri, body, CancellationToken.None);
                        if ((int)status < 300) break;
                        if (status is not HttpStatusCode.ServiceUnavailable) Ledger.Defects.Add($"batch: {status}");
                    }
                    catch (Exception broken) when (broken is HttpRequestException or IOException or OperationCanceledException)
                    {
                    }

                    broker++;
                    await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
                }
            }
        });
    }

    /// <summary>Accepted reports a second.</summary>
    public async Task<double> RateAsync(TimeSpan window, CancellationToken ct)
    {
        var (before, began) = (Ledger.AcceptedCount, Stopwatch.GetTimestamp());
        await Task.Delay(window, TimeProvider.System, ct);
        return (Ledger.AcceptedCount - before) / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Awaits further accepted reports.</summary>
    public Task MoreAsync(int reports)
    {
        var before = Ledger.AcceptedCount;
        return UntilAsync(() => Ledger.AcceptedCount >= before + reports, "progress");
    }

    /// <summary>Starts runs and returns at a random moment of the work on them: the number of accepted reports then.</summary>
    public async Task<int> AddRunsAsync(int count, CancellationToken ct)
    {
        var before = Steps;
        await StartRunsAsync(count, ct);
        var moment = before + (Random.Shared.NextDouble() * 0.7 * (Steps - before));
        await UntilAsync(() => Ledger.AcceptedCount >= moment, "progress");
        var done = Ledger.AcceptedCount;
        Assert.True(done < Steps, "No work is left for the fault.");
        return done;
    }

    /// <summary>Awaits that workers have met the fault.</summary>
    public Task OutageAsync(int before) => UntilAsync(() => Ledger.OutageCount > before, "a broken request");

    /// <summary>Every run ends with success, and holds exactly the accepted results; nothing was lost, doubled or taken from a stale worker.</summary>
    public async Task EndAsync(CancellationToken ct)
    {
        fed = false;
        await feeding;
        var finals = new ConcurrentDictionary<StepName, string>();
        await Parallel.ForEachAsync(runs, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = ct }, async (run, ct) =>
        {
            await UntilAsync(async () => await StatusAsync(run, ct) is "complete", $"the end of {run}");
            foreach (var (name, token) in await StepsAsync(site.Http, $"{workflow}~{run}", ct))
                Assert.True(finals.TryAdd(name, token ?? throw new InvalidOperationException($"{name} has not ended")), $"{name} is there once");
        });

        // A run may be seen to have ended before the worker that ended it has its answer.
        await UntilAsync(() => finals.Keys.All(step => Ledger.Accepted.ContainsKey(step) || Ledger.Unanswered.ContainsKey(step)), "an answer to every report");
        await StopAsync();
        Assert.True(Ledger.Defects.IsEmpty, $"{string.Join(", ", Ledger.Defects)}\n{string.Join('\n', site.Brokers.SelectMany(b => b.Output.TakeLast(200)))}");
        Assert.Equal(Steps, finals.Count);
        foreach (var (step, token) in finals)
        {
            var accepted = Ledger.Accepted.GetValueOrDefault(step, []);
            Assert.True(accepted.Length <= 1, $"{step} was accepted {accepted.Length} times");
            if (accepted.Length == 1) Assert.Equal(accepted[0], token);
            else Assert.True(Ledger.Unanswered.TryGetValue(step, out var lost) && lost.Contains(token), $"{step} ended with a result that nobody reported");
            Assert.False(Ledger.Refused.ContainsKey(token), $"{step} ended with a refused report");
        }

        foreach (var (step, token) in Ledger.HandedOn) Assert.Equal(finals[step], token);
        Assert.Equal(0, Ledger.Overlaps());
        var silent = finals.Keys.Count(s => !Ledger.Accepted.ContainsKey(s));
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"{runs.Count} runs, {Steps} steps in {watch.Elapsed.TotalSeconds:0.0} s: {Ledger.AcceptedCount} reports accepted, {silent} counted though their answer was lost, {Ledger.RefusedCount} refused, {Ledger.OutageCount} requests broke, {Ledger.Held.Count} leases, 0 overlapping, {Ledger.HandedOn.Count} tokens handed on, 0 lost, 0 doubled"));
    }

    public async ValueTask DisposeAsync()
    {
        fed = false;
        await StopAsync();
        foreach (var worker in workers) worker.Dispose();
        stop.Dispose();
    }

    private string[] NewIds(int count)
    {
        var ids = Enumerable.Range(runs.Count, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"run-{i}")).ToArray();
        runs.AddRange(ids);
        return ids;
    }

    private static string Batch(IEnumerable<string> ids) => $$"""{"instances":[{{string.Join(',', ids.Select(i => $$"""{"id":"{{i}}"}"""))}}]}""";

    private async Task StopAsync()
    {
        await stop.CancelAsync();
        await working;
    }

    private Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    // A worker that met something it cannot explain ends the test at once, with its own words.
    private Task UntilAsync(Func<Task<bool>> condition, string what) => Eventually.TrueAsync(
        async () =>
        {
            if (working.IsFaulted) await working;
            return await condition();
        },
        TimeSpan.FromSeconds(Effort.Of(60, 300)),
        what);

    private async Task<string?> StatusAsync(string run, CancellationToken ct)
    {
        var status = (string?)(await site.Http.MustGetAsync($"/api/workflows/{workflow}/instances/{run}", ct))["details"]!["status"];
        Assert.False(status is "errored" or "terminated", $"{run} is {status}");
        return status;
    }

    /// <summary>The steps of a run that a broker knows, each with the token it ended with.</summary>
    public static async Task<List<(StepName Name, string? Token)>> StepsAsync(HttpClient http, string run, CancellationToken ct)
    {
        var parts = run.Split('~');
        var history = await http.MustGetAsync($"/workflows/{parts[0]}/instances/{parts[1]}/history?order=asc", ct);
        return [.. history["steps"]!.AsArray().Select(s => (
            new StepName(run, (string)s!["stepKey"]!),
            (string?)s["status"] == "completed" ? (string)s["result"]!["token"]! : null))];
    }
}
