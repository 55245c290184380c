using System.Net;
using System.Net.Sockets;
using Broker.Auth;

namespace Broker.Operations;

/// <summary>Whom limits and remembered starts belong to: the key that a request came with, else the address that it came from.</summary>
internal static class Clients
{
    /// <summary>The id of the caller's key; empty when it needed none.</summary>
    public static string KeyOf() => Caller.Current is var caller && caller != Caller.Anonymous ? caller.Id : "";

    public static string NameOf(HttpContext http) =>
        KeyOf() is { Length: > 0 } key ? $"key {key}" : AddressOf(http.Connection.RemoteIpAddress);

    // A single IPv6 host has 2^64 addresses to choose from.
    private static string AddressOf(IPAddress? address)
    {
        if (address is null) return "unknown";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily is not AddressFamily.InterNetworkV6) return address.ToString();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes).ToString();
    }
}
