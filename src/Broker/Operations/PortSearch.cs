using System.Net;
using System.Net.Sockets;

namespace Broker.Operations;

/// <summary>
/// Finds a free port by taking it: the returned socket listens already. No other process can take the port between the search and its use.
/// </summary>
internal static class PortSearch
{
    private const int Further = 100;

    // On Linux two sockets may be bound to one port while neither listens; only listening takes it.
    private const int Backlog = 512;

    /// <summary>A listening socket on the wanted port, else on one of the next 100, else on any that is free.</summary>
    public static Socket Listen(IPEndPoint wanted)
    {
        var last = Math.Min(wanted.Port + Further, IPEndPoint.MaxPort);
        for (var port = wanted.Port; port != 0 && port <= last; port++)
        {
            if (TryListen(new(wanted.Address, port)) is { } socket) return socket;
        }

        return TryListen(new(wanted.Address, 0)) ?? throw new IOException($"No port is free on {wanted.Address}.");
    }

    private static Socket? TryListen(IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(endpoint);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
