using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Broker.Testing;

/// <summary>Loopback ports for programs that tests start.</summary>
public static class LoopbackPort
{
    // Below those that the system gives to outgoing connections: one of them went to another test's client between the choice and the start.
    private const int First = 12_000;
    private const int Range = 20_000;

    private static int last = Random.Shared.Next(Range);

    /// <summary>A port that was free a moment ago. None is chosen twice before all have been.</summary>
    public static int Choose()
    {
        for (var tries = 0; tries < Range; tries++)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref last) % Range);
            if (IsFree(port)) return port;
        }

        throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"No port from {First} to {First + Range - 1} is free."));
    }

    private static bool IsFree(int port)
    {
        using var probe = new TcpListener(IPAddress.Loopback, port);
        try
        {
            probe.Start();
            return true;
        }
        catch (SocketException taken) when (taken.SocketErrorCode is SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }
}
