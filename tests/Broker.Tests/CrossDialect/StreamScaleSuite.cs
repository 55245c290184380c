using System.Diagnostics;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;
using Flows = Broker.Tests.InstancesDialect.Flows;

namespace Broker.Tests.CrossDialect;

/// <summary>Many streams at once, readers that leave and come back, readers that do not read, and a broker that is replaced under them.</summary>
public abstract class StreamScaleSuite : IAsyncLifetime
{
    private const int Items = 40;
    private const int Batch = 10;

    // A reader that does not read is owed 8 MB; eight of them would be 100 MB of strings if the broker read it all for each.
    private const int SlowReaders = 8;
    private const int BigChunks = 32;
    private const int BigChunk = 256 * 1024;
    private const long BytesPerStream = 200 * 1024;

    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private readonly BrokerApp app;
    private readonly int streams;
    private readonly string name = Flows.Name("scale");
    private readonly List<Socket> slow = [];
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);

    private protected StreamScaleSuite(BrokerApp app, int streams)
    {
        this.app = app;
        this.streams = streams;
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => app.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        // Readers come back for ever: those of a test that failed too.
        await stop.CancelAsync();
        stop.Dispose();
        foreach (var socket in slow) socket.Dispose();
        await app.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Many_streams_lose_and_repeat_nothing_across_reconnects_and_a_restart()
    {
        var wire = new Wire(app.Client);
        var worker = await wire.RegisterAsync(Flows.One(name, ""","lease_ttl_secs":3600"""));
        var id = await new FourViews(wire, name).StartAsync(Door.Handlers);
        var step = await wire.MustClaimAsync(worker);
        for (var i = 0; i < BigChunks; i++) await PushAsync(wire, "big", i, 1, new string('x', BigChunk));

        var broker = new BrokerAddress(app.Client);
        var readers = Enumerable.Range(0, streams).Select(i => Reader(broker, id, i)).ToList();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var reading = readers.ConvertAll(reader => reader.RunAsync(stop.Token));
        for (var i = 0; i < SlowReaders; i++) slow.Add(await StallAsync(app.Address));
        await Task.WhenAll(readers.Select(reader => reader.Opened.Task)).WaitAsync(WaitLimit, Ct);

        for (var n = 0; n < Items / 2; n += Batch) await SayAsync(wire, worker, step, n);
        await Eventually.TrueAsync(() => readers.TrueForAll(reader => reader.Count >= Items / 2), WaitLimit);
        var perStream = (GC.GetTotalMemory(forceFullCollection: true) - before) / (streams + SlowReaders);
        TestContext.Current.SendDiagnosticMessage($"{perStream / 1024} kB per stream, both ends");
        Assert.True(perStream < BytesPerStream, $"{perStream} bytes per stream");

        broker.Gone();
        var stopping = Stopwatch.StartNew();
        await app.StopBrokerAsync();
        Assert.True(stopping.Elapsed < TimeSpan.FromSeconds(10), $"stopped after {stopping.Elapsed}");
        using var next = await app.StartBrokerAsync();
        wire = new Wire(next);
        await SayAsync(wire, worker, step, Items / 2);
        broker.Back(next);
        for (var n = (Items / 2) + Batch; n < Items; n += Batch) await SayAsync(wire, worker, step, n);
        await wire.ReportAsync(worker, step, "SUCCEEDED", "1");
        await Task.WhenAll(reading).WaitAsync(WaitLimit, Ct);

        foreach (var reader in readers)
        {
            var ids = reader.Items.ConvertAll(item => long.Parse(item.EventId!, CultureInfo.InvariantCulture));
            Assert.Equal(ids.Distinct().Order(), ids);
            Assert.Equal(Enumerable.Range(0, Items), reader.Items.Select(NumberOf).OfType<int>());
            Assert.True(reader.Connections > 1);
        }
    }

    private ResumingReader Reader(BrokerAddress broker, string id, int index)
    {
        // Every tenth leaves again and again; the others only when the broker does.
        var dropEvery = index % 10 == 0 ? 7 : int.MaxValue;
        return index % 2 == 0
            ? new(broker, $"/events/{id}?after_sequence=-1", item => NumberOf(item) is null, dropEvery)
            : new(broker, $"/api/workflows/{name}/jobs/log/logs/stream", item => NumberOf(item) == Items - 1, dropEvery);
    }

    /// <summary>An event's number, a log line's sequence, or null for the event that ends a run.</summary>
    private static int? NumberOf(SseItem<string> item)
    {
        var data = JsonElement.Parse(item.Data);
        if (data.TryGetProperty("sequence", out var sequence)) return sequence.GetInt32();
        return data.GetProperty("value").TryGetProperty("n", out var n) ? n.GetInt32() : null;
    }

    /// <summary>The same numbers as events and as log lines.</summary>
    private async Task SayAsync(Wire wire, string worker, JsonElement step, int first)
    {
        var events = string.Join(',', Enumerable.Range(first, Batch).Select(n => $$$"""{"type":"P","value":{"n":{{{n}}}}}"""));
        var published = await wire.PostAsync($"/workflow/step/events?worker_id={worker}", $$"""{{Wire.Key(step)[..^1]}},"events":[{{events}}]}""");
        Assert.True(published.Status == 204, published.ToString());
        await PushAsync(wire, "log", first, Batch, "line");
    }

    private async Task PushAsync(Wire wire, string job, int first, int count, string text)
    {
        var chunks = Enumerable.Range(first, count).Select(
            n => $$"""{"workflow_id":"{{name}}","job_id":"{{job}}","sequence":{{n}},"data":"{{text}}","timestamp_ms":1,"stream":"stdout"}""");
        Assert.Equal(200, (await wire.PostAsync("/api/jobs/any/logs", $$"""{"chunks":[{{string.Join(',', chunks)}}]}""")).Status);
    }

    /// <summary>Asks for the big log, reads the first bytes of the answer and nothing more.</summary>
    private async Task<Socket> StallAsync(Uri address)
    {
        // The smallest window, so that unsent bytes stay with the broker.
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(address.Host, address.Port, Ct);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /api/workflows/{name}/jobs/big/logs/stream HTTP/1.1\r\nHost: {address.Authority}\r\n\r\n"), Ct);
        var start = new byte[12];
        Assert.Equal(start.Length, await socket.ReceiveAsync(start, Ct));
        Assert.Equal("HTTP/1.1 200", Encoding.ASCII.GetString(start));
        return socket;
    }
}

/// <summary>Tests that measure time or take the whole machine: one after the other, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class OneByOne
{
    public const string Name = "one by one";
}

[Collection(OneByOne.Name)]
public sealed class PostgresStreamScaleTests(PostgresCluster cluster) : StreamScaleSuite(new PostgresApp(cluster), streams: 500);

[Collection(OneByOne.Name)]
public sealed class SqliteStreamScaleTests() : StreamScaleSuite(new SqliteApp(), streams: 500);
