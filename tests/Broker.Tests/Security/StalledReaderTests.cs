using System.Net.Sockets;
using System.Text;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.CrossDialect;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Broker.Tests.Security;

/// <summary>Clients that ask for a long log and do not read it.</summary>
[Collection(OneByOne.Name)]
public sealed class StalledReaderTests
{
    private const int Readers = 20;
    private const int Chunks = 32;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>An open read transaction would make the checkpoint busy, and the write-ahead log grow without an end.</summary>
    [Theory]
    [InlineData("/api/workflows/ci/jobs/lint/logs")]
    [InlineData("/api/workflows/ci/jobs/lint/logs/stream")]
    public async Task Stalled_readers_of_a_log_hold_no_read_transaction(string path)
    {
        using var file = new SqliteFile();
        await using var broker = await OwnBroker.StartOnAsync($"sqlite:{file.Path}", null);
        await PushAsync(broker);
        var stalled = new List<Socket>();
        try
        {
            for (var i = 0; i < Readers; i++) stalled.Add(await StallAsync(broker, path));
            await PushAsync(broker);

            await using var connection = new SqliteConnection($"Data Source={file.Path};Pooling=False");
            await connection.OpenAsync(Ct);
            await using var checkpoint = connection.CreateCommand();
            checkpoint.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            await Eventually.TrueAsync(async () => (long)(await checkpoint.ExecuteScalarAsync(Ct))! == 0);
        }
        finally
        {
            foreach (var socket in stalled) socket.Dispose();
        }
    }

    /// <summary>20 readers held 20 whole answers: 40 MB of one status, 160 MB of one list.</summary>
    [Theory]
    [InlineData("/api/workflows?limit=1000")]
    [InlineData("/api/workflows/wide0/status")]
    public async Task Stalled_readers_of_large_lists_hold_a_part_of_the_answer_each(string path)
    {
        await using var broker = await OwnBroker.StartAsync();
        var steps = string.Join(',', Enumerable.Range(0, 10_000).Select(n => $"\"s{n}\":{{}}"));
        for (var i = 0; i < 4; i++)
        {
            using var body = new StringContent(
                $"[{{\"workflow_id\":\"wide{i}\",\"version\":\"1\",\"steps\":{{{steps}}}}}]", Encoding.UTF8, "application/json");
            using var answer = await broker.Client.PostAsync(new Uri("/worker/register", UriKind.Relative), body, Ct);
            Assert.Equal(200, (int)answer.StatusCode);
        }

        using (var whole = await broker.Client.GetAsync(new Uri(path, UriKind.Relative), Ct)) Assert.True((await whole.Content.ReadAsByteArrayAsync(Ct)).Length > 1_500_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var stalled = new List<Socket>();
        try
        {
            for (var i = 0; i < Readers; i++) stalled.Add(await StallAsync(broker, path));
            var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
            Assert.True(grown < Readers * 500_000, $"{grown} bytes");
        }
        finally
        {
            foreach (var socket in stalled) socket.Dispose();
        }
    }

    [Fact]
    public async Task Callers_without_a_key_share_their_streams_whatever_address_they_come_from()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:Streams=2");
        const string Path = "/api/workflows/ci/jobs/lint/logs/stream";
        using var first = await OpenAsync(broker, Path, "127.0.0.1");
        using var second = await OpenAsync(broker, Path, "127.0.0.2");
        Assert.StartsWith("HTTP/1.1 200", await HeadAsync(first), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await HeadAsync(second), StringComparison.Ordinal);
        using var third = await OpenAsync(broker, Path, "127.0.0.3");
        Assert.StartsWith("HTTP/1.1 429", await HeadAsync(third), StringComparison.Ordinal);
    }

    private static async Task PushAsync(OwnBroker broker)
    {
        var data = new string('x', 128 * 1024);
        var chunks = Enumerable.Range(0, Chunks).Select(
            n => $$"""{"workflow_id":"ci","job_id":"lint","sequence":{{n}},"data":"{{data}}","timestamp_ms":1,"stream":"stdout"}""");
        using var body = new StringContent($$"""{"chunks":[{{string.Join(',', chunks)}}]}""", Encoding.UTF8, "application/json");
        using var answer = await broker.Client.PostAsync(new Uri("/api/jobs/any/logs", UriKind.Relative), body, Ct);
        Assert.Equal(200, (int)answer.StatusCode);
    }

    private static async Task<Socket> StallAsync(OwnBroker broker, string path)
    {
        var socket = await OpenAsync(broker, path, "127.0.0.1");
        Assert.StartsWith("HTTP/1.1 200", await HeadAsync(socket), StringComparison.Ordinal);
        return socket;
    }

    private static async Task<Socket> OpenAsync(OwnBroker broker, string path, string from)
    {
        // The smallest window, so that unsent bytes stay with the broker.
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Parse(from), 0));
        await socket.ConnectAsync(broker.Address.Host, broker.Address.Port, Ct);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {broker.Address.Authority}\r\n\r\n"), Ct);
        return socket;
    }

    private static async Task<string> HeadAsync(Socket socket)
    {
        var start = new byte[12];
        Assert.Equal(start.Length, await socket.ReceiveAsync(start, Ct));
        return Encoding.ASCII.GetString(start);
    }
}
