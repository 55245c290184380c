using Broker.Api.Operators;
using Broker.Auth;
using Broker.Http;
using Broker.Settings;
using Broker.Ui.Routing;
using Microsoft.Extensions.Primitives;

namespace Broker.Operations;

/// <summary>
/// Decides which web pages may read answers. The framework's policy does not fit: it answers preflights with 204. Nor can one policy allow
/// every origin without credentials and echo the origin where clients of a dialect send credentials.
/// </summary>
internal sealed class CorsPolicy(RequestDelegate next, BrokerSettings settings, IServiceProvider services)
{
    // With credentials a star means the method of that name.
    private static readonly StringValues AllMethods = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS";
    private static readonly StringValues Anything = "*";
    private static readonly StringValues True = "true";
    private static readonly StringValues Origin = "Origin";

    private readonly DialectPaths paths = DialectPaths.Of(services);

    // Null: every origin. A list without any readable origin allows none.
    private readonly HashSet<string>? listed =
        settings.CorsOrigins is { } origins && !origins.Contains(WebPages.AnyOrigin) ? new(origins, StringComparer.Ordinal) : null;

    public Task InvokeAsync(HttpContext http)
    {
        // No other site's page reads the API for operators or the console, whatever CORS_ORIGINS lists.
        var path = http.Request.Path;
        if (path.StartsWithSegments(OperatorApi.Prefix, StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments(ConsoleRoutes.Prefix, StringComparison.OrdinalIgnoreCase)) return next(http);
        var origin = http.Request.Headers.Origin;
        var withCredentials = paths.WithCredentials && paths.Has(http.Request.Path);
        Allow(http.Response.Headers, origin, withCredentials);
        return origin.Count > 0 && HttpMethods.IsOptions(http.Request.Method) ? AnswerPreflight(http, withCredentials) : next(http);
    }

    private void Allow(IHeaderDictionary answer, StringValues origin, bool withCredentials)
    {
        if (listed is null && !withCredentials)
        {
            answer.AccessControlAllowOrigin = Anything;
            answer.AccessControlExposeHeaders = Anything;
            return;
        }

        // Vary is set on every answer: a cache must not hand one origin's answer to another.
        if (listed is not null || origin.Count > 0) answer.Vary = Origin;
        if (origin.Count != 1 || (listed is not null && !listed.Contains(origin[0]!))) return;
        answer.AccessControlAllowOrigin = origin;
        answer.AccessControlExposeHeaders = Anything;
        if (withCredentials) answer.AccessControlAllowCredentials = True;
    }

    private static Task AnswerPreflight(HttpContext http, bool withCredentials)
    {
        var answer = http.Response.Headers;
        var asked = http.Request.Headers.AccessControlRequestHeaders;
        answer.AccessControlAllowMethods = withCredentials ? AllMethods : Anything;
        // A star covers every header but this one.
        answer.AccessControlAllowHeaders = withCredentials ? asked : AsksForAuthorization(asked) ? "*, Authorization" : Anything;
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    private static bool AsksForAuthorization(StringValues asked) => asked.ToString().Contains("authorization", StringComparison.OrdinalIgnoreCase);
}
