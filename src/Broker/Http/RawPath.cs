using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Broker.Http;

/// <summary>
/// Mends paths that routing does not understand. A base URL with a trailing slash makes <c>//api/…</c>. An id with a slash comes as
/// <c>%2F</c>, and route values keep these three characters, as if the id held them.
/// </summary>
internal static class RawPath
{
    /// <summary>Adds routing with both mended; comes before whatever looks at the endpoint.</summary>
    public static IApplicationBuilder UseRawPath(this IApplicationBuilder app)
    {
        app.Use((http, next) =>
        {
            var path = http.Request.Path.Value;
            if (path is not null && path.StartsWith("//", StringComparison.Ordinal)) http.Request.Path = "/" + path.TrimStart('/');
            return next(http);
        });
        app.UseRouting();
        return app.Use((http, next) =>
        {
            var target = http.Features.Get<IHttpRequestFeature>()?.RawTarget;
            if (target is not null && target.Contains("%2F", StringComparison.OrdinalIgnoreCase)
                && http.GetEndpoint() is RouteEndpoint endpoint)
            {
                DecodeValues(endpoint.RoutePattern, target, http.Request.RouteValues);
            }

            return next(http);
        });
    }

    private static void DecodeValues(RoutePattern pattern, string target, RouteValueDictionary values)
    {
        var path = target.AsSpan();
        var query = path.IndexOf('?');
        if (query >= 0) path = path[..query];
        var segments = path.ToString().Split('/', StringSplitOptions.RemoveEmptyEntries);

        // From the end: what stands before the pattern is a base path, or the host of an absolute target.
        var before = segments.Length - pattern.PathSegments.Count;
        for (var i = 0; before >= 0 && i < pattern.PathSegments.Count; i++)
        {
            if (pattern.PathSegments[i] is { IsSimple: true, Parts: [RoutePatternParameterPart { IsCatchAll: false } parameter] }
                && segments[before + i].Contains("%2F", StringComparison.OrdinalIgnoreCase))
            {
                values[parameter.Name] = Uri.UnescapeDataString(segments[before + i]);
            }
        }
    }
}
