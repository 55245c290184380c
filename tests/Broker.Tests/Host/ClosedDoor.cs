using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Broker.Tests.Host;

/// <summary>Loopback port that refuses connections until it is opened, and then passes them to a database.</summary>
internal sealed class ClosedDoor : IAsyncDisposable
{
    private readonly NpgsqlConnectionStringBuilder database;
    private readonly CancellationTokenSource closing = new();
    private readonly int port = Testing.LoopbackPort.Choose();
    private TcpListener? listener;

    public ClosedDoor(string connectionString)
    {
        database = new(connectionString);
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = port, Pooling = true }.ConnectionString;
    }

    public string ConnectionString { get; }

    public void Open()
    {
        listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        _ = AcceptAsync(listener);
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener?.Dispose();
        closing.Dispose();
    }

    private async Task AcceptAsync(TcpListener open)
    {
        while (!closing.IsCancellationRequested) _ = PassAsync(await open.AcceptSocketAsync(closing.Token));
    }

    private async Task PassAsync(Socket client)
    {
        using var near = new NetworkStream(client, ownsSocket: true);
        var socket = database.Host!.StartsWith('/')
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(database.Host.StartsWith('/')
            ? new UnixDomainSocketEndPoint(string.Create(CultureInfo.InvariantCulture, $"{database.Host}/.s.PGSQL.{database.Port}"))
            : new DnsEndPoint(database.Host, database.Port));
        using var far = new NetworkStream(socket, ownsSocket: true);
        await Task.WhenAny(near.CopyToAsync(far, closing.Token), far.CopyToAsync(near, closing.Token));
    }
}
