using Broker.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Broker.Operations;

/// <summary>Refuses bodies with a content coding: the broker decodes none, and compressed bytes would be judged as broken JSON.</summary>
internal static class ContentCodings
{
    private const string None = "identity";

    /// <summary>After routing, so that the answer has the form of the dialect that was asked.</summary>
    public static void RefuseContentCodings(this IApplicationBuilder app) => app.Use((http, next) =>
        http.Request.Headers.ContentEncoding.Count > 0 && IsCoded(http) ? RefuseAsync(http) : next(http));

    private static bool IsCoded(HttpContext http) =>
        http.GetEndpoint() is RouteEndpoint
        && http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true }
        && http.Request.Headers.ContentEncoding.Any(coding => coding is { Length: > 0 } && !coding.Equals(None, StringComparison.OrdinalIgnoreCase));

    private static Task RefuseAsync(HttpContext http)
    {
        http.Response.Headers.AcceptEncoding = None;
        return DialectErrorFormat.SendAsync(
            http, StatusCodes.Status415UnsupportedMediaType, $"Content-Encoding: '{http.Request.Headers.ContentEncoding}' is not taken; send the body uncompressed, without this header");
    }
}
