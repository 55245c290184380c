using System.Net;
using System.Net.Sockets;

namespace Broker.Webhooks;

/// <summary>Which addresses a webhook may reach. The rule is applied to the address of each connection, so a name that resolves anew cannot pass it.</summary>
internal static class AddressRule
{
    private static readonly IPNetwork[] Refused =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>A public address: none of loopback, private, link-local, shared, documentation, multicast, and none that wraps an IPv4 address.</summary>
    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 && !Array.Exists(Refused, network => network.Contains(address));
    }

    /// <summary>The expectation that an address for a webhook fails; null when it is in order.</summary>
    public static string? Refusal(string? url, bool allowsPrivate)
    {
        if (url is null || url.Length > 2_000 || !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            return "expected an absolute URL of at most 2,000 characters with http or https";
        if (address.UserInfo.Length > 0 || address.Fragment.Length > 0) return "expected no user name, password or fragment in the URL";
        if (allowsPrivate) return null;
        var isLocal = address.IdnHost.Equals("localhost", StringComparison.OrdinalIgnoreCase) || address.IdnHost.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
        return isLocal || (IPAddress.TryParse(address.IdnHost, out var ip) && !IsPublic(ip)) ? "expected a public address; Broker:Webhooks:AllowPrivate allows others" : null;
    }
}

/// <summary>No address of a webhook's host may be connected to.</summary>
internal sealed class AddressRefusedException(string host) : IOException($"{host} has no public address; Broker:Webhooks:AllowPrivate allows others");
