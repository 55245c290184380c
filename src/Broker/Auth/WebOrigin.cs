namespace Broker.Auth;

/// <summary>Origin of a web page in one form: scheme, host and port, the default port written out.</summary>
internal readonly record struct WebOrigin(string Scheme, string Name, int Port)
{
    private const string SchemeEnd = "://";

    /// <summary>Origin <c>null</c> of sandboxed frames, files and redirected requests: it names no page.</summary>
    public static WebOrigin Opaque { get; } = new("null", "", 0);

    public static bool TryParse(ReadOnlySpan<char> text, out WebOrigin origin)
    {
        origin = Opaque;
        if (text.SequenceEqual("null")) return true;
        var end = text.IndexOf(SchemeEnd);
        if (end <= 0 || !HostAndPort.TryParse(text[(end + SchemeEnd.Length)..], out var host)) return false;
        var scheme = text[..end].ToString().ToLowerInvariant();
        origin = new(scheme, host.Name, host.Port ?? DefaultPort(scheme));
        return true;
    }

    /// <summary>Origin of a <c>Referer</c>.</summary>
    public static bool TryParseAddress(ReadOnlySpan<char> address, out WebOrigin origin)
    {
        var host = address.IndexOf(SchemeEnd) + SchemeEnd.Length;
        var end = host < SchemeEnd.Length ? -1 : address[host..].IndexOfAny("/?#");
        return TryParse(end < 0 ? address : address[..(host + end)], out origin);
    }

    /// <summary>
    /// Whether a page of this origin came from that host. The scheme is the page's: a proxy that ends TLS hands on the name without it.
    /// </summary>
    public bool IsOf(HostAndPort host) => Scheme is "http" or "https" && Name == host.Name && Port == (host.Port ?? DefaultPort(Scheme));

    private static int DefaultPort(string scheme) => scheme switch
    {
        "http" => 80,
        "https" => 443,
        _ => 0,
    };
}
