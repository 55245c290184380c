using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Broker.Tests.App;
using Broker.Tests.CrossDialect;
using Xunit;

namespace Broker.Tests.Security;

/// <summary>Clients that send too much, too slowly or not at all, over bare sockets: others are served meanwhile, and they are let go.</summary>
[Collection(OneByOne.Name)]
public sealed class SlowClientTests
{
    private const int Clients = 40;

    // Long, since the machine may be busy: the test checks that the connection ends, not when.
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Headers_that_never_end_are_given_up_while_others_are_served()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:HeaderTimeout=00:00:02");
        var sockets = await OpenAsync(broker, "GET /status HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
        Assert.Equal(HttpStatusCode.OK, (await broker.Client.GetAsync(new Uri("/status", UriKind.Relative), Ct)).StatusCode);

        // A byte now and then keeps none of them alive.
        var ends = await Task.WhenAll(sockets.Select(s => DribbleAsync(s, "x")));
        Assert.All(ends, end => Assert.True(end.Length == 0 || end.Contains(" 408 ", StringComparison.Ordinal), end));
        Assert.Equal(HttpStatusCode.OK, (await broker.Client.GetAsync(new Uri("/status", UriKind.Relative), Ct)).StatusCode);
    }

    [Fact]
    public async Task Bodies_that_trickle_are_given_up_while_others_are_served()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:BodyBytesPerSecond=10000");
        var sockets = await OpenAsync(broker, "POST /worker/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n[");
        Assert.Equal(HttpStatusCode.OK, (await broker.Client.GetAsync(new Uri("/status", UriKind.Relative), Ct)).StatusCode);

        var ends = await Task.WhenAll(sockets.Select(s => DribbleAsync(s, " ")));
        Assert.All(ends, end => Assert.True(end.Length == 0 || end.Contains("HTTP/1.1 4", StringComparison.Ordinal), end));
        Assert.Contains(ends, end => end.Length > 0);
        Assert.Equal(HttpStatusCode.OK, (await broker.Client.GetAsync(new Uri("/status", UriKind.Relative), Ct)).StatusCode);
    }

    [Theory]
    [InlineData("Content-Length: 1000000000\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n10000\r\n")]
    public async Task Oversized_bodies_are_refused_and_not_kept(string rest)
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:MaxBodyBytes=65536");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var sockets = await OpenAsync(broker, $"POST /worker/register HTTP/1.1\r\nHost: localhost\r\n{rest}");
        var chunk = Encoding.ASCII.GetBytes(new string(' ', 65_536) + (rest.Contains("chunked", StringComparison.Ordinal) ? "\r\n10000\r\n" : ""));
        var answers = await Task.WhenAll(sockets.Select(async socket =>
        {
            var answer = ReadAsync(socket);
            try
            {
                for (var i = 0; i < 64 && !answer.IsCompleted; i++) await socket.SendAsync(chunk, Ct);
            }
            catch (SocketException)
            {
                // Cut off while sending: that is one way of being refused.
            }

            return await answer;
        }));

        // 40 clients sent, or would have sent, 160 MB; they may hold what a body may have, and buffers.
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.All(answers, answer => Assert.True(answer.Length == 0 || answer.Contains(" 413 ", StringComparison.Ordinal), answer));
        Assert.Contains(answers, answer => answer.Contains("65536 bytes", StringComparison.Ordinal));
        Assert.True(grown < 64 << 20, string.Create(CultureInfo.InvariantCulture, $"{grown} bytes"));
        Assert.Equal(HttpStatusCode.OK, (await broker.Client.GetAsync(new Uri("/status", UriKind.Relative), Ct)).StatusCode);
        foreach (var socket in sockets) socket.Dispose();
    }

    [Theory]
    [InlineData("GET /{0} HTTP/1.1\r\nHost: h\r\n\r\n", "--Broker:Limits:RequestLineBytes=2000", 3000, " 414 ")]
    [InlineData("GET /status HTTP/1.1\r\nHost: h\r\nX-Long: {0}\r\n\r\n", "--Broker:Limits:HeaderBytes=2000", 3000, " 431 ")]
    public async Task The_request_line_and_the_header_are_limited(string request, string setting, int length, string status)
    {
        await using var broker = await OwnBroker.StartAsync(setting);
        using var socket = await ConnectAsync(broker);
        await socket.SendAsync(Encoding.ASCII.GetBytes(string.Format(CultureInfo.InvariantCulture, request, new string('x', length))), Ct);
        Assert.Contains(status, await ReadAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_number_of_header_fields_is_limited()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:HeaderCount=20");
        using var socket = await ConnectAsync(broker);
        var fields = string.Concat(Enumerable.Range(0, 30).Select(i => $"X-{i}: y\r\n"));
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /status HTTP/1.1\r\nHost: h\r\n{fields}\r\n"), Ct);
        Assert.Contains(" 431 ", await ReadAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_beyond_the_limit_are_closed()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:Connections=5");
        const string Request = "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n";
        var held = new List<Socket>();
        for (var i = 0; i < 5; i++)
        {
            var socket = await ConnectAsync(broker);
            await socket.SendAsync(Encoding.ASCII.GetBytes(Request), Ct);
            var buffer = new byte[4096];
            Assert.True(await socket.ReceiveAsync(buffer, Ct) > 0);
            held.Add(socket);
        }

        using var further = await ConnectAsync(broker);
        Assert.Equal("", await ReadAsync(further, Request));
        held[0].Dispose();
        var answer = "";
        while (answer.Length == 0)
        {
            using var again = await ConnectAsync(broker);
            answer = await ReadAsync(again, Request.Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal));
        }

        Assert.Contains(" 200 ", answer, StringComparison.Ordinal);
        foreach (var socket in held) socket.Dispose();
    }

    private static async Task<List<Socket>> OpenAsync(OwnBroker broker, string begin)
    {
        var sockets = new List<Socket>();
        for (var i = 0; i < Clients; i++)
        {
            sockets.Add(await ConnectAsync(broker));
            await sockets[^1].SendAsync(Encoding.ASCII.GetBytes(begin), Ct);
        }

        return sockets;
    }

    private static async Task<Socket> ConnectAsync(OwnBroker broker)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, broker.Address.Port, Ct);
        return socket;
    }

    /// <summary>Sends a little again and again until the server ends it; what the server said.</summary>
    private static async Task<string> DribbleAsync(Socket socket, string little)
    {
        var end = ReadAsync(socket);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        try
        {
            while (!end.IsCompleted && await timer.WaitForNextTickAsync(Ct)) await socket.SendAsync(Encoding.ASCII.GetBytes(little), Ct);
        }
        catch (SocketException)
        {
            // The server has closed it.
        }

        var said = await end;
        socket.Dispose();
        return said;
    }

    /// <summary>Reads until the broker closes, or has answered and goes on reading a body that it drops.</summary>
    private static async Task<string> ReadAsync(Socket socket, string? request = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(WaitLimit);
        var text = new StringBuilder();
        var buffer = new byte[8192];
        try
        {
            if (request is not null) await socket.SendAsync(Encoding.ASCII.GetBytes(request), limit.Token);
            while (!text.ToString().Contains("\r\n\r\n", StringComparison.Ordinal) || request is not null)
            {
                var read = await socket.ReceiveAsync(buffer, limit.Token);
                if (read == 0) break;
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }
        }
        catch (SocketException reset) when (reset.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted)
        {
            // Closed hard: the same as closed.
        }

        return text.ToString();
    }
}
