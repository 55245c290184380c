using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Broker.Faults.Harness;

/// <summary>
/// Proxy between workers and a broker that loses answers: it cuts the connection when the broker has answered. A connection has one request,
/// so that no other request is lost.
/// </summary>
internal sealed class LossyProxy : IAsyncDisposable
{
    private const int LongestHead = 64 * 1024;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<Task, bool> serving = [];
    private readonly Uri broker;
    private readonly Func<string, bool> loses;
    private readonly Task accepting;
    private int carried;
    private int lost;

    /// <param name="broker">Where requests go.</param>
    /// <param name="loses">Whether the answer to a request is lost, by its request line and the answer's first line.</param>
    public LossyProxy(Uri broker, Func<string, bool> loses)
    {
        (this.broker, this.loses) = (broker, loses);
        listener.Start(512);
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        accepting = AcceptAsync();
    }

    public Uri Address { get; }

    public int Carried => Volatile.Read(ref carried);

    public int Lost => Volatile.Read(ref lost);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(serving.Keys);
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync(stop.Token);
                var serve = ServeAsync(client);
                serving[serve] = true;
                _ = serve.ContinueWith(done => serving.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The proxy stops.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using (client)
        using (var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true })
        {
            try
            {
                var request = await ReadMessageAsync(client);
                if (request.Length == 0) return;
                await server.ConnectAsync(IPAddress.Loopback, broker.Port, stop.Token);
                await server.SendAsync(request, stop.Token);

                // The broker answers when it has committed, and not before.
                var answer = await ReadMessageAsync(server);
                Interlocked.Increment(ref carried);
                if (loses($"{FirstLine(request)} → {FirstLine(answer)}"))
                {
                    Interlocked.Increment(ref lost);
                    client.LingerState = new LingerOption(true, 0);
                    return;
                }

                await client.SendAsync(answer, stop.Token);
                client.Shutdown(SocketShutdown.Both);
            }
            catch (Exception broken) when (broken is SocketException or OperationCanceledException)
            {
                // One side has gone: the other is closed too.
            }
        }
    }

    /// <summary>A whole request or answer; its length is in its head, as all of them here have one or no body. The connection ends with it.</summary>
    private async Task<byte[]> ReadMessageAsync(Socket from)
    {
        var bytes = new byte[LongestHead];
        var (read, head, length) = (0, -1, 0);
        while (head < 0 || read < head + length)
        {
            if (read == bytes.Length) Array.Resize(ref bytes, 2 * bytes.Length);
            var some = await from.ReceiveAsync(bytes.AsMemory(read), stop.Token);
            if (some == 0) return [];
            read += some;
            if (head >= 0) continue;
            var end = bytes.AsSpan(0, read).IndexOf("\r\n\r\n"u8);
            if (end < 0) continue;
            head = end + 4;
            length = LengthOf(Encoding.ASCII.GetString(bytes, 0, head));
        }

        return bytes[..read];
    }

    private static int LengthOf(string head) =>
        head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) is { } line
            ? int.Parse(line.AsSpan("Content-Length:".Length), System.Globalization.CultureInfo.InvariantCulture)
            : 0;

    private static string FirstLine(byte[] message) => Encoding.ASCII.GetString(message, 0, Math.Max(0, message.AsSpan().IndexOf((byte)'\r')));
}
