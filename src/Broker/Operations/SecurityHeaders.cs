using Broker.OpenApi;
using Microsoft.Extensions.Primitives;

namespace Broker.Operations;

/// <summary>
/// Headers that make browsers treat every answer as data: shown in no frame, and without scripts. The one page takes its scripts and
/// styles from files of its own; one style is inline, and named by its hash.
/// </summary>
internal static class SecurityHeaders
{
    private static readonly StringValues NoSniff = "nosniff";
    private static readonly StringValues NoFrames = "DENY";
    private static readonly StringValues NoReferrer = "no-referrer";
    private static readonly StringValues ForData = "default-src 'none'; frame-ancestors 'none'";

    // Swagger UI's style sheet holds its icons as data: addresses, and its script adds one style element. A browser's console names another hash
    // where a later version adds another element.
    private static readonly StringValues ForPage =
        "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    public static void Set(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.XContentTypeOptions = NoSniff;
        headers.XFrameOptions = NoFrames;
        headers.ContentSecurityPolicy = DocumentPage.IsAt(http.Request.Path) ? ForPage : ForData;
        headers["Referrer-Policy"] = NoReferrer;
    }
}
