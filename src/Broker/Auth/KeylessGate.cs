using Broker.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Broker.Auth;

/// <summary>
/// Guards a broker without keys against web pages. A page of another site can send requests from the operator's own browser, and could
/// define and run shell commands. The gate stands behind routing and before the key gate, and is inactive once keys are required.
/// </summary>
internal sealed class KeylessGate(RequestDelegate next, ApiKeyCache keys, AllowedHosts hosts, WebPages pages)
{
    private const int LongestQuoted = 200;

    public Task InvokeAsync(HttpContext http)
    {
        if (keys.AreRequired) return next(http);
        if (ForeignHost(http) is { } host)
        {
            return RefuseAsync(
                http,
                $"the broker is not known as '{Quoted(host)}': call it by IP address or as localhost, add the name to Broker:AllowedHosts "
                + "(Broker__AllowedHosts in the environment), or create a key with 'broker keys create'");
        }

        return Changes(http) && pages.Foreign(http.Request.Headers) is { } page ? RefusePageAsync(http, page) : next(http);
    }

    /// <summary>For a GET that takes events only with some parameters: whether the page was refused, and so answered.</summary>
    public static async ValueTask<bool> RefusedAsync(HttpContext http)
    {
        var services = http.RequestServices;
        if (services.GetRequiredService<ApiKeyCache>().AreRequired || services.GetRequiredService<WebPages>().Foreign(http.Request.Headers) is not { } page) return false;
        await RefusePageAsync(http, page);
        return true;
    }

    // HTTP/1.0 knows requests without a host; browsers do not send them.
    private string? ForeignHost(HttpContext http)
    {
        if (http.Request.Headers.Host is [{ } host] && !hosts.Has(host)) return host;

        // http://name/path in the request line: HTTP/1.0 does not compare it with the header.
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return target.StartsWith('/') || !Uri.TryCreate(target, UriKind.Absolute, out var uri) || hosts.Has(uri.Authority) ? null : uri.Authority;
    }

    private static bool Changes(HttpContext http) =>
        !(HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method) || HttpMethods.IsOptions(http.Request.Method))
        || http.GetEndpoint()?.Metadata.GetMetadata<RefusedToPages>() is not null;

    private static Task RefusePageAsync(HttpContext http, string page) => RefuseAsync(
        http,
        $"a web page ({Quoted(page)}) may not do this while the broker asks for no key: list the page's origin in CORS_ORIGINS, or create a key with 'broker keys create'");

    private static Task RefuseAsync(HttpContext http, string message)
    {
        http.Response.Headers.CacheControl = "no-store";
        return DialectErrorFormat.SendAsync(http, StatusCodes.Status403Forbidden, message, isExplained: true);
    }

    private static string Quoted(string text) => text.Length <= LongestQuoted ? text : text[..LongestQuoted];
}
