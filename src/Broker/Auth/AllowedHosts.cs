using Broker.Settings;

namespace Broker.Auth;

/// <summary>
/// Names by which a broker without keys may be called. A page whose own DNS name is pointed at this machine (DNS rebinding) passes every
/// check of its origin, but sends that name in <c>Host</c>. Addresses and <c>localhost</c> cannot be pointed elsewhere.
/// </summary>
internal sealed class AllowedHosts(BrokerSettings settings)
{
    public const string Any = "*";

    private const string Local = "localhost";
    private const string Wildcard = "*.";

    private readonly bool isAny = settings.AllowedHosts.Contains(Any);
    private readonly HashSet<string> names = new(settings.AllowedHosts, StringComparer.Ordinal) { Local };

    // With the dot: *.example.org is every name below example.org.
    private readonly string[] suffixes =
        [$".{Local}", .. settings.AllowedHosts.Where(name => name.StartsWith(Wildcard, StringComparison.Ordinal)).Select(name => name[1..])];

    // A client sends the same text each time. The race between requests is harmless: each writes a text that is allowed.
    private string? last;

    public bool Has(string host)
    {
        if (isAny || host == last) return true;
        if (!HostAndPort.TryParse(host, out var parsed)) return false;
        if (!parsed.IsAddress && !names.Contains(parsed.Name) && !IsBelow(parsed.Name)) return false;
        last = host;
        return true;
    }

    private bool IsBelow(string name) => Array.Exists(suffixes, suffix => name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal));

    /// <summary>Names of a comma list, each in the form in which it is compared.</summary>
    public static IReadOnlyList<string> Read(string text) =>
    [
        .. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(name => name switch
        {
            Any => Any,
            _ when name.StartsWith(Wildcard, StringComparison.Ordinal) && HostAndPort.IsName(name.AsSpan(Wildcard.Length)) => name.ToLowerInvariant(),
            _ when HostAndPort.TryParse(name, out var host) && host.Port is null && !name.EndsWith(':') => host.Name,
            _ => throw new FormatException("host names without scheme and port, with commas between them, such as broker,broker.example.org; *.example.org is every name below it"),
        }),
    ];
}
