using System.Text.Json.Nodes;
using Broker.Testing;
using Xunit;

namespace Broker.Faults.Harness;

/// <summary>A kind of run: its workflow, and the parameters of a start as JSON.</summary>
internal readonly record struct PageRun(string Workflow, string Parameters);

/// <summary>Runs that the page's workers can do, in either dialect; started and watched by the same routes.</summary>
internal sealed class PageWork
{
    private readonly HttpClient http;
    private readonly CancellationToken ct;

    private PageWork(HttpClient http, CancellationToken ct) => (this.http, this.ct) = (http, ct);

    /// <summary>Steps of a run, in their order.</summary>
    public required IReadOnlyList<string> Steps { get; init; }

    public required PageRun Quick { get; init; }

    /// <summary>Its first step takes a second.</summary>
    public required PageRun Short { get; init; }

    /// <summary>Its first step ends only when it is stopped. It may run twice.</summary>
    public required PageRun Slow { get; init; }

    /// <summary>Words that a worker prints: a report counted, its lease is lost, its step was cancelled.</summary>
    public required (string Done, string Lost, string Cancelled) Words { get; init; }

    /// <summary>Where commands leave a line for each time that they run; null: the steps are no commands.</summary>
    private string? Effects { get; init; }

    /// <summary>Jobs that may not run twice, but for the slow ones.</summary>
    public static async Task<PageWork> OfJobsAsync(HttpClient http, string folder, CancellationToken ct)
    {
        async Task<PageRun> DefineAsync(string then, string more = "") =>
            new(await http.DefineAsync(ct, Wire.Job("only", $"echo $$ >> '{folder}'/$BROKER_INSTANCE; {then}", more: more)), "{}");
        return new PageWork(http, ct)
        {
            Steps = ["only"],
            Quick = await DefineAsync("true"),
            Short = await DefineAsync("sleep 1"),
            Slow = await DefineAsync("exec sleep 1000", ""","max_retries":1"""),
            Words = ("200", "lost", "200"),
            Effects = folder,
        };
    }

    /// <summary>Runs of the page's own workflow, which its workers register.</summary>
    public static async Task<PageWork> OfStepsAsync(HttpClient http, CancellationToken ct)
    {
        await Eventually.TrueAsync(async () => (await http.GetAsync(new Uri("/api/v1/workflows/coffee", UriKind.Relative), ct)).IsSuccessStatusCode, TimeSpan.FromSeconds(60), "a worker has registered");
        return new PageWork(http, ct)
        {
            Steps = ["grind", "brew"],
            Quick = new("coffee", "{}"),
            Short = new("coffee", """{"seconds":1}"""),
            Slow = new("coffee", """{"seconds":1000}"""),
            Words = ("accepted", "gone", "cancelled"),
        };
    }

    public Task StartAsync(PageRun run, string instance) =>
        http.MustPostAsync($"/api/workflows/{run.Workflow}/instances", $$"""{"id":"{{instance}}","params":{{run.Parameters}}}""", ct);

    public Task CancelAsync(PageRun run, string instance) => http.MustPostAsync($"/api/v1/runs/{run.Workflow}/{instance}/cancel", "{}", ct);

    public async Task<string> StatusAsync(PageRun run, string instance) => (string)(await http.MustGetAsync($"/api/v1/runs/{run.Workflow}/{instance}", ct))["status"]!;

    public Task UntilAsync(PageRun run, string instance, string status) =>
        Eventually.TrueAsync(async () => await StatusAsync(run, instance) == status, TimeSpan.FromSeconds(60), $"{instance} is {status}");

    /// <summary>A worker holds the first step, for the first time, or after a lease of it was lost.</summary>
    public Task UntilLeasedAsync(PageRun run, string instance, bool again = false) => Eventually.TrueAsync(
        async () => await StepAsync(run, instance) is var step && (string?)step["status"] == "leased" && again == ((int)step["attempt"]! + (int)step["losses"]! > 0),
        TimeSpan.FromSeconds(60),
        $"{instance} is held{(again ? " again" : "")}");

    /// <summary>No worker holds the first step, and it was charged nothing.</summary>
    public Task UntilReadyAsync(PageRun run, string instance) => Eventually.TrueAsync(
        async () => await StepAsync(run, instance) is var step && (string?)step["status"] == "ready" && (int)step["attempt"]! + (int)step["losses"]! == 0,
        TimeSpan.FromSeconds(60),
        $"{instance} is ready, charged nothing");

    /// <summary>The first step was charged nothing, and its command ran once.</summary>
    public async Task AssertOnceAsync(PageRun run, string instance)
    {
        var step = await StepAsync(run, instance);
        Assert.Equal(0, (int)step["attempt"]! + (int)step["losses"]!);
        if (Effects is not null) Assert.Single(await File.ReadAllLinesAsync(Path.Combine(Effects, instance), ct));
    }

    /// <summary>Every command that ran for the instance has been killed.</summary>
    public async Task AssertStoppedAsync(string instance)
    {
        if (Effects is null) return;
        foreach (var process in await File.ReadAllLinesAsync(Path.Combine(Effects, instance), ct))
            await Eventually.TrueAsync(() => !Directory.Exists($"/proc/{process}"), expected: $"process {process} is gone");
    }

    private async Task<JsonNode> StepAsync(PageRun run, string instance) => await http.MustGetAsync($"/api/v1/runs/{run.Workflow}/{instance}/steps/{Steps[0]}", ct);
}
