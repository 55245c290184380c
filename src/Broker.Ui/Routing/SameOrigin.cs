using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Routing;

/// <summary>
/// Whether a form came from the console's own pages. A cookie comes along by itself, so a request that changes something must say where it
/// comes from: <c>Sec-Fetch-Site</c>, or an <c>Origin</c> equal to the host. It keeps no state, so it holds on every broker.
/// </summary>
public static class SameOrigin
{
    /// <summary>The reason why a request is refused; null where it comes from the own pages.</summary>
    public static string? Refusal(HttpContext http)
    {
        var site = http.Request.Headers["Sec-Fetch-Site"].ToString();
        var origin = http.Request.Headers.Origin.ToString();
        var isOwn = site.Length > 0 ? site == "same-origin" : Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority.Equals(http.Request.Host.Value, StringComparison.OrdinalIgnoreCase);
        return isOwn ? null : "This form did not come from a page of the console.";
    }
}
