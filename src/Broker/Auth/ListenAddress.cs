using System.Net;
using Broker.Settings;

namespace Broker.Auth;

/// <summary>Whether other machines reach the broker.</summary>
internal static class ListenAddress
{
    private const string UnixSocket = "unix:";

    /// <summary>The address that is not of this machine alone; null when there is none.</summary>
    public static string? BeyondLoopback(BrokerSettings settings) => settings.Endpoints.Count == 0
        ? IPAddress.IsLoopback(IPAddress.Parse(settings.Host)) ? null : settings.Host
        : settings.Endpoints.FirstOrDefault(endpoint => !IsLoopback(endpoint));

    // Kestrel listens on every interface for a name that is no address.
    private static bool IsLoopback(string endpoint)
    {
        var at = endpoint.IndexOf("://", StringComparison.Ordinal);
        var rest = at < 0 ? endpoint : endpoint[(at + 3)..];
        if (rest.StartsWith(UnixSocket, StringComparison.OrdinalIgnoreCase)) return true;
        var host = rest.Split('/')[0];
        var port = host.LastIndexOf(':');
        if (port > host.LastIndexOf(']')) host = host[..port];
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
    }
}
