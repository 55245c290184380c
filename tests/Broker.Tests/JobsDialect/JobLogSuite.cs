using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>Jobs contract 5.</summary>
public abstract class JobLogSuite(IJobsBroker broker) : JobsSuite(broker)
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Chunks_come_back_exactly_as_sent_in_order_of_arrival()
    {
        string[] chunks =
        [
            Chunk("a", 4, "tab\\t \\u0000 \\ud800 \\u00e9 é <&> \\/", "stderr"),
            Chunk("a", 0, "again from 0\\n"),
            Chunk("a", 4, "twice"),
        ];
        await PushAsync("no-lease", chunks[0], chunks[1]);
        await PushAsync("no-lease", chunks[2]);
        await PushAsync("no-lease", Chunk("b", 0, "other"));

        var answer = await GetAsync(Path("a"));

        Assert.Equal(new Answer(200, $"[{string.Join(',', chunks)}]", "application/json"), answer);
        Assert.Equal(new Answer(200, "[]", "application/json"), await GetAsync(Path("none")));
    }

    [Fact]
    public async Task Late_chunks_of_a_finished_lease_are_kept_and_so_are_those_of_earlier_runs()
    {
        var id = await RunningAsync(Job("a"));
        var (_, lease) = await MustClaimAsync();
        await CompleteAsync(lease);
        await RunAsync(id);

        var answer = await PostAsync($"/api/jobs/{lease}/logs", $$"""{"chunks":[{{Chunk("a", 0, "late", workflow: id)}}]}""");

        Assert.Equal(new Answer(200, "", null), answer);
        Assert.Single((await GetAsync($"/api/workflows/{id}/jobs/a/logs")).Json!.AsArray());
    }

    [Theory]
    [InlineData("{}", "chunks")]
    [InlineData("""{"chunks":[5]}""", "chunks[0]")]
    [InlineData("""{"chunks":[{"job_id":"j","sequence":0,"data":"","timestamp_ms":0,"stream":"stdout"}]}""", "chunks[0].workflow_id")]
    [InlineData("""{"chunks":[{"workflow_id":"w","job_id":"j","sequence":-1,"data":"","timestamp_ms":0,"stream":"stdout"}]}""", "chunks[0].sequence")]
    [InlineData("""{"chunks":[{"workflow_id":"w","job_id":"j","sequence":0,"data":1,"timestamp_ms":0,"stream":"stdout"}]}""", "chunks[0].data")]
    [InlineData("""{"chunks":[{"workflow_id":"w","job_id":"j","sequence":0,"data":"","stream":"stdout"}]}""", "chunks[0].timestamp_ms")]
    [InlineData("""{"chunks":[{"workflow_id":"w","job_id":"j","sequence":0,"data":"","timestamp_ms":0,"stream":"stdin"}]}""", "chunks[0].stream")]
    public async Task A_faulty_push_stores_nothing(string body, string field)
    {
        var answer = await PostAsync("/api/jobs/any/logs", body);
        Assert.Equal(422, answer.Status);
        Assert.Contains(field, answer.Json!["problems"]!.AsArray().Select(p => (string)p!["field"]!));
    }

    [Fact]
    public async Task A_long_log_is_listed_whole()
    {
        for (var i = 0; i < 3; i++) await PushAsync("x", [.. Enumerable.Range(i * 300, 300).Select(n => Chunk("long", n, "line"))]);
        var list = (JsonArray)(await GetAsync(Path("long"))).Json!;
        Assert.Equal(Enumerable.Range(0, 900), list.Select(c => (int)c!["sequence"]!));
    }

    [Fact]
    public async Task The_stream_replays_and_goes_on_without_a_gap_or_a_double()
    {
        await PushAsync("x", [.. Enumerable.Range(0, 600).Select(n => Chunk("s", n, "line"))]);
        var pushing = Task.Run(
            async () =>
            {
                for (var n = 600; n < 700; n += 5) await PushAsync("x", [.. Enumerable.Range(n, 5).Select(i => Chunk("s", i, "line"))]);
            },
            Ct);

        var events = await ReadAsync("s", 700);
        await pushing;

        Assert.Equal(Enumerable.Range(0, 700), events.Select(e => (int)JsonNode.Parse(e.Data)!["sequence"]!));
        Assert.All(events, e => Assert.Equal("log", e.EventType));
        Assert.Equal(Chunk("s", 0, "line"), events[0].Data);

        var rest = await ReadAsync("s", 50, events[649].EventId);
        Assert.Equal(Enumerable.Range(650, 50), rest.Select(e => (int)JsonNode.Parse(e.Data)!["sequence"]!));
    }

    [Fact]
    public async Task The_stream_of_an_unknown_job_opens_at_once_and_waits()
    {
        var reading = ReadAsync("later", 1);
        await PushAsync("x", Chunk("later", 0, "there"));
        Assert.Equal(Chunk("later", 0, "there"), Assert.Single(await reading).Data);
    }

    private static string Chunk(string label, string job, int sequence, string data, string stream) =>
        $$"""{"workflow_id":"{{label}}","job_id":"{{job}}","sequence":{{sequence}},"data":"{{data}}","timestamp_ms":1769000001000,"stream":"{{stream}}"}""";

    private string Chunk(string job, int sequence, string data, string stream = "stdout", string? workflow = null) => Chunk(workflow ?? Label, job, sequence, data, stream);

    private string Path(string job) => $"/api/workflows/{Label}/jobs/{job}/logs";

    private async Task PushAsync(string lease, params string[] chunks) =>
        Assert.Equal(200, (await PostAsync($"/api/jobs/{lease}/logs", $$"""{"chunks":[{{string.Join(',', chunks)}}]}""")).Status);

    private async Task<List<SseItem<string>>> ReadAsync(string job, int count, string? after = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Broker.Address, Path(job)[1..] + "/stream"));
        if (after is not null) request.Headers.Add("Last-Event-ID", after);
        using var response = await Broker.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct).WaitAsync(WaitLimit, Ct);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);

        var events = new List<SseItem<string>>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        stop.CancelAfter(WaitLimit);
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(Ct)).EnumerateAsync(stop.Token))
        {
            events.Add(item);
            if (events.Count == count) break;
        }

        return events;
    }
}
