using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;
using Flows = Broker.Tests.InstancesDialect.Flows;

namespace Broker.Tests.CrossDialect;

/// <summary>Two brokers on one PostgreSQL: runs, events and lines that one stores, the other hands out, streams and returns.</summary>
[Collection(OneByOne.Name)]
public sealed class TwoBrokersTests(PostgresApp app) : IClassFixture<PostgresApp>
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, List<TimeSpan>> measured = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private Wire A { get; } = new(app.Client);

    [Fact]
    public async Task Runs_events_and_lines_cross_to_the_other_broker_within_a_second()
    {
        using var second = await app.StartBrokerAsync();
        var b = new Wire(second);

        // Medians: the first round also compiles the code, and one hiccup of a busy machine is not a lost signal.
        for (var round = 0; round < 5; round++) await RoundAsync(b);
        await app.StopBrokerAsync();

        foreach (var (delivery, times) in measured)
        {
            var median = times.Order().ElementAt(times.Count / 2);
            TestContext.Current.SendDiagnosticMessage($"{delivery}: median {median.TotalMilliseconds:F1} ms, worst {times.Max().TotalMilliseconds:F1} ms");
            Assert.True(median < Promised, $"{delivery}: {string.Join(", ", times.Select(t => $"{t.TotalMilliseconds:F0} ms"))}");
        }
    }

    [Fact]
    public async Task A_broker_that_stops_in_between_loses_nothing()
    {
        var second = await app.StartBrokerAsync();
        var b = new Wire(second);
        var name = Flows.Name("stop");
        var worker = await b.RegisterAsync(Flows.Waiting(name));
        var views = new FourViews(A, name);

        // On B: a run that is waited for, a worker, a stream and the log of a job.
        var waited = b.PostAsync($"/workflows/{name}/run", "{}");
        var prepare = await b.MustClaimAsync(worker, "&wait=20");
        var id = prepare.GetProperty("instance_id").GetString()!;
        var seen = new List<SseItem<string>>();
        var streaming = CopyAsync(second, $"/events/{id}?after_sequence=-1", seen);
        await PublishAsync(b, worker, prepare, 1);
        await Eventually.TrueAsync(() => seen.Count == 1);
        await b.ReportAsync(worker, prepare, "SUCCEEDED");
        var polling = PollAsync(b, worker);

        var stopping = Stopwatch.StartNew();
        await app.StopBrokerAsync();
        Assert.True(stopping.Elapsed < TimeSpan.FromSeconds(10), $"stopped after {stopping.Elapsed}");

        Assert.Equal(503, (await waited).Status);
        Assert.True(await polling is null or { Status: 204 });
        await streaming;
        second.Dispose();
        Assert.Equal(Stage.Live("waiting", "success running queued"), await views.LookAsync(id));

        Assert.Equal(200, (await views.SendAsync(Door.Handlers, id, "{}")).Status);
        var rest = CopyAsync(app.Client, $"/events/{id}?after_sequence={seen[^1].EventId}", seen);
        var finish = await A.MustClaimAsync(worker, "&wait=20");
        await PublishAsync(A, worker, finish, 2);
        await A.ReportAsync(worker, finish, "SUCCEEDED", "1");
        await rest.WaitAsync(WaitLimit, Ct);

        Assert.Equal(["P", "P", "StopEvent"], seen.Select(item => JsonElement.Parse(item.Data).GetProperty("type").GetString()));
        Assert.Equal(seen.Select(Number).Distinct().Order(), seen.Select(Number));
        Assert.Equal(Stage.Done("success success success"), await views.LookAsync(id));
    }

    // No lease is left behind either: one that was would be handed out again only after a minute.
    [Fact]
    public async Task Workers_of_a_broker_that_stops_go_on_at_the_other()
    {
        const int Runs = 60;
        const int Workers = 4;
        using var second = await app.StartBrokerAsync();
        var b = new Wire(second);
        var name = Flows.Name("moving");
        var schema = Flows.One(name);
        var worker = await b.RegisterAsync(schema);
        for (var i = 0; i < Runs; i++) await b.DispatchAsync(schema);

        var done = new ConcurrentBag<string>();
        var third = new TaskCompletionSource();
        var working = Enumerable.Range(0, Workers).Select(_ => WorkAsync()).ToList();
        await third.Task.WaitAsync(WaitLimit, Ct);
        await app.StopBrokerAsync();
        await Task.WhenAll(working).WaitAsync(WaitLimit, Ct);

        Assert.Equal(Runs, done.Count);
        Assert.Equal(Runs, done.Distinct().Count());
        var complete = await A.GetAsync($"/api/workflows/workflows/{name}/instances?status=complete&pageSize=100");
        Assert.Equal(Runs, complete.Json.GetProperty("instances").GetArrayLength());

        async Task WorkAsync()
        {
            var at = b;
            while (done.Count < Runs)
            {
                try
                {
                    if (await at.ClaimAsync(worker, "&wait=1") is not { } step) continue;
                    await ReportAsync(at, step);
                    done.Add(step.GetProperty("instance_id").GetString()!);
                    if (done.Count == Runs / 3) third.TrySetResult();
                }
                catch (HttpRequestException)
                {
                    at = A;
                }
            }
        }

        async Task ReportAsync(Wire at, JsonElement step)
        {
            try
            {
                Assert.Equal(204, (await at.ReportAsync(worker, step, "SUCCEEDED")).Status);
            }
            catch (HttpRequestException)
            {
                // Whether the first one arrived is unknown; the second then changes nothing.
                Assert.Equal(204, (await A.ReportAsync(worker, step, "SUCCEEDED")).Status);
            }
        }
    }

    /// <summary>A run of A, worked on at both, with a deadline on every crossing.</summary>
    private async Task RoundAsync(Wire b)
    {
        var name = Flows.Name("cross");
        var worker = await b.RegisterAsync(Flows.Waiting(name));
        var claiming = b.MustClaimAsync(worker, "&wait=20");
        var waited = A.PostAsync($"/workflows/{name}/run", "{}");
        var prepare = await TimedAsync("a run started at A reaches a worker at B", claiming);
        var id = prepare.GetProperty("instance_id").GetString()!;

        await using var events = await OpenAsync($"/events/{id}?after_sequence=-1");
        await using var logs = await OpenAsync($"/api/workflows/{name}/jobs/prepare/logs/stream");
        await PublishAsync(b, worker, prepare, 1);
        await TimedAsync("an event published at B reaches a stream of A", NextAsync(events));
        await PushAsync(b, name, "prepare");
        await TimedAsync("a log line pushed to B reaches a stream of A", NextAsync(logs));

        await b.ReportAsync(worker, prepare, "SUCCEEDED");
        claiming = A.MustClaimAsync(worker, "&wait=20");
        Assert.Equal(200, (await new FourViews(b, name).SendAsync(Door.Handlers, id, "{}")).Status);
        var finish = await TimedAsync("an event sent to B moves a worker at A", claiming);

        Assert.Equal(204, (await b.ReportAsync(worker, finish, "SUCCEEDED", "\"end\"")).Status);
        var since = Stopwatch.GetTimestamp();
        await TimedAsync("a run ended at B ends the stream of A", EndAsync(events));
        Assert.Equal(200, (await TimedAsync("a run ended at B answers the one that waits at A", waited, since)).Status);
    }

    private async Task<T> TimedAsync<T>(string delivery, Task<T> arrival, long? since = null)
    {
        since ??= Stopwatch.GetTimestamp();
        var arrived = await arrival.WaitAsync(WaitLimit, Ct);
        if (!measured.TryGetValue(delivery, out var times)) measured[delivery] = times = [];
        times.Add(Stopwatch.GetElapsedTime(since.Value));
        return arrived;
    }

    private async Task<IAsyncEnumerator<SseItem<string>>> OpenAsync(string path)
    {
        var response = await app.Client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Ct).WaitAsync(WaitLimit, Ct);
        response.EnsureSuccessStatusCode();
        return ItemsAsync(response, Ct).GetAsyncEnumerator(Ct);
    }

    private static async IAsyncEnumerable<SseItem<string>> ItemsAsync(HttpResponseMessage response, [EnumeratorCancellation] CancellationToken ct)
    {
        using (response)
        {
            await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(ct)).EnumerateAsync(ct)) yield return item;
        }
    }

    private static async Task<SseItem<string>> NextAsync(IAsyncEnumerator<SseItem<string>> stream)
    {
        Assert.True(await stream.MoveNextAsync());
        return stream.Current;
    }

    private static async Task<bool> EndAsync(IAsyncEnumerator<SseItem<string>> stream)
    {
        var last = await NextAsync(stream);
        Assert.Equal("StopEvent", JsonElement.Parse(last.Data).GetProperty("type").GetString());
        return true;
    }

    /// <summary>Reads until the stream ends or is cut.</summary>
    private static async Task CopyAsync(HttpClient http, string path, List<SseItem<string>> seen)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Ct);
            await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(Ct)).EnumerateAsync(Ct)) seen.Add(item);
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            // The broker stopped: the reader goes on at the other one.
        }
    }

    private static async Task<Reply?> PollAsync(Wire wire, string worker)
    {
        try
        {
            return await wire.GetAsync($"/workflow/step?worker_id={worker}&wait=20");
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static async Task PublishAsync(Wire wire, string worker, JsonElement step, int number)
    {
        var published = await wire.PostAsync(
            $"/workflow/step/events?worker_id={worker}", $$$"""{{{Wire.Key(step)[..^1]}}},"events":[{"type":"P","value":{"n":{{{number}}}}}]}""");
        Assert.True(published.Status == 204, published.ToString());
    }

    private static async Task PushAsync(Wire wire, string workflow, string job) => Assert.Equal(200, (await wire.PostAsync(
        "/api/jobs/any/logs",
        $$"""{"chunks":[{"workflow_id":"{{workflow}}","job_id":"{{job}}","sequence":0,"data":"line\n","timestamp_ms":1,"stream":"stdout"}]}""")).Status);

    private static long Number(SseItem<string> item) => long.Parse(item.EventId!, CultureInfo.InvariantCulture);
}
