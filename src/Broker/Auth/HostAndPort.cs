using System.Net;
using System.Net.Sockets;

namespace Broker.Auth;

/// <summary>Host and port of a <c>Host</c> header or of an origin: lower case, without a trailing dot, addresses in one form.</summary>
/// <param name="Name">Name or address; IPv6 without brackets.</param>
/// <param name="Port">Null when the text names none.</param>
/// <param name="IsAddress">An IP address: no DNS answer can point it elsewhere.</param>
internal readonly record struct HostAndPort(string Name, int? Port, bool IsAddress)
{
    /// <summary>Longer texts are no host names (RFC 1035).</summary>
    private const int LongestName = 253;

    public static bool TryParse(ReadOnlySpan<char> text, out HostAndPort parsed)
    {
        parsed = default;
        var isBracketed = text.StartsWith('[');
        var end = isBracketed ? text.IndexOf(']') + 1 : text.IndexOf(':');
        if (end < 0) end = text.Length;
        if (end == 0 || !TryPort(text[end..], out var port)) return false;

        var name = text[..end];
        if (isBracketed)
        {
            if (!IPAddress.TryParse(name[1..^1], out var address) || address.AddressFamily is not AddressFamily.InterNetworkV6) return false;
            parsed = new(address.ToString(), port, IsAddress: true);
            return true;
        }

        if (name.EndsWith('.')) name = name[..^1];
        if (!IsName(name)) return false;

        // Also 127.1 and 0x7f000001: browsers read every name whose last label is a number as an address.
        parsed = IPAddress.TryParse(name, out var number) ? new(number.ToString(), port, IsAddress: true) : new(name.ToString().ToLowerInvariant(), port, IsAddress: false);
        return true;
    }

    /// <summary>Whether these are letters, digits, hyphens and underscores in labels with dots between them.</summary>
    public static bool IsName(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > LongestName) return false;
        foreach (var label in name.Split('.'))
        {
            if (name[label].IsEmpty) return false;
            foreach (var letter in name[label])
            {
                if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_')) return false;
            }
        }

        return true;
    }

    private static bool TryPort(ReadOnlySpan<char> text, out int? port)
    {
        port = null;
        if (text.Length <= 1) return text.IsEmpty || text[0] == ':';
        if (text[0] != ':' || !ushort.TryParse(text[1..], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)) return false;
        port = number;
        return true;
    }
}
