using Broker.Settings;
using Microsoft.Extensions.Primitives;

namespace Broker.Auth;

/// <summary>
/// Decides which web pages may change something while no key is required: the broker's own and those of <c>CORS_ORIGINS</c>. A browser
/// names the page in <c>Origin</c> and its relation to the broker in <c>Sec-Fetch-Site</c>; no page can set either. Other clients send
/// neither header, and pass.
/// </summary>
internal sealed class WebPages(BrokerSettings settings)
{
    public const string AnyOrigin = "*";

    private const string SecFetchSite = "Sec-Fetch-Site";

    private static readonly char[] Separators = [',', ' '];

    private readonly bool isAny = settings.CorsOrigins?.Contains(AnyOrigin) == true;
    private readonly HashSet<WebOrigin> listed = Parse(settings.CorsOrigins ?? []);

    /// <summary>The page that a request comes from when that page may change nothing; null when the request passes.</summary>
    public string? Foreign(IHeaderDictionary headers)
    {
        var origins = headers.Origin;
        var referrers = headers.Referer;
        var sites = headers[SecFetchSite];
        if (isAny || (origins.Count == 0 && referrers.Count == 0 && sites.Count == 0)) return null;

        _ = HostAndPort.TryParse(headers.Host.ToString(), out var host);
        var (page, isListed) = origins.Count > 0 ? ForeignOrigin(origins, host) : ForeignReferrer(referrers, host);
        return page ?? (isListed || sites.All(IsSame) ? null : "of another site");
    }

    // Several origins, in one header or more: each must pass.
    private (string? Page, bool IsListed) ForeignOrigin(StringValues origins, HostAndPort host)
    {
        var areListed = true;
        foreach (var header in origins)
        {
            var texts = header!.Split(Separators, StringSplitOptions.RemoveEmptyEntries);
            if (texts.Length == 0) return ("without an origin", false);
            foreach (var text in texts)
            {
                var isOrigin = WebOrigin.TryParse(text, out var origin);
                if (isOrigin && listed.Contains(origin)) continue;
                if (!isOrigin || !origin.IsOf(host)) return (text, false);
                areListed = false;
            }
        }

        return (null, areListed);
    }

    // GET requests of images, links and frames have no Origin.
    private (string? Page, bool IsListed) ForeignReferrer(StringValues referrers, HostAndPort host)
    {
        if (referrers.Count == 0) return (null, false);
        var isAddress = WebOrigin.TryParseAddress(referrers.ToString(), out var origin);
        if (isAddress && listed.Contains(origin)) return (null, true);
        return (isAddress && origin.IsOf(host) ? null : referrers.ToString(), false);
    }

    // none: typed into the address bar.
    private static bool IsSame(string? site) =>
        string.Equals(site, "same-origin", StringComparison.OrdinalIgnoreCase) || string.Equals(site, "none", StringComparison.OrdinalIgnoreCase);

    private static HashSet<WebOrigin> Parse(IReadOnlyList<string> origins)
    {
        var parsed = new HashSet<WebOrigin>();
        foreach (var text in origins)
        {
            if (WebOrigin.TryParse(text, out var origin)) parsed.Add(origin);
        }

        return parsed;
    }
}
