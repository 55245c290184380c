using System.Globalization;
using System.Net;
using System.Text;
using Broker.Api.Operators;
using Broker.Http;
using Broker.OpenApi;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Primitives;

namespace Broker.Auth;

/// <summary>
/// Requires a key of every request, once there is one. It stands behind routing, because the route says which scope it needs, and before
/// every part that answers.
/// </summary>
internal sealed partial class KeyGate(RequestDelegate next, ApiKeyCache keys, SessionCache sessions, FailureLimiter failures, ILogger<KeyGate> log)
{
    private const string Challenge = "Bearer realm=\"broker\"";
    private const string BasicChallenge = "Basic realm=\"broker\", charset=\"UTF-8\"";
    private const string Missing = "an API key is required: send the header 'Authorization: Bearer KEY'";
    private const string Unknown = "this API key is not known: it is wrong, or it was revoked";

    public Task InvokeAsync(HttpContext http)
    {
        var endpoint = http.GetEndpoint();
        var endsWithKey = endpoint?.Metadata.GetMetadata<EndsWithItsKey>() is not null;

        // A keyless stream or wait ends with the first key, since the gate cannot check it later.
        if (keys.KeylessEnd is { } end) return endsWithKey ? WatchedAsync(http, end) : next(http);
        if (endpoint?.Metadata.GetMetadata<IAllowAnonymous>() is not null) return next(http);

        var isForBrowsers = IsForBrowsers(http.Request.Path);
        var presented = Presented(http.Request.Headers.Authorization, isForBrowsers);
        if (presented.Length == 0 && TakesSessions(http.Request.Path)) return BySessionAsync(http, endpoint, endsWithKey);
        if (presented.Length == 0) return ChallengeAsync(http, isForBrowsers, Challenge, Missing);
        if (keys.Find(presented) is not { } key) return UnknownAsync(http, isForBrowsers);
        return ByKeyAsync(http, endpoint, key, endsWithKey);
    }

    // The cookie opens the console and the API for operators, and no route of a dialect.
    private static bool TakesSessions(PathString path) =>
        path.StartsWithSegments(ConsoleRoutes.Prefix, StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments(OperatorApi.Prefix, StringComparison.OrdinalIgnoreCase);

    private async Task BySessionAsync(HttpContext http, Endpoint? endpoint, bool endsWithKey)
    {
        var session = SessionCookie.Of(http.Request) is { } token ? await sessions.FindAsync(token, http.RequestAborted) : null;
        if (session is null)
        {
            if (http.Request.Path.StartsWithSegments(ConsoleRoutes.Prefix, StringComparison.OrdinalIgnoreCase) && !http.Request.Headers.ContainsKey(ConsoleRoutes.FragmentHeader))
            {
                http.Response.StatusCode = StatusCodes.Status303SeeOther;
                http.Response.Headers.Location = ConsoleRoutes.SignInAddress(http);
                return;
            }

            await ChallengeAsync(http, false, Challenge, Missing);
            return;
        }

        // A cookie comes along by itself, also with a form of another site's page.
        if (!HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method) && SameOrigin.Refusal(http) is { } refusal)
        {
            await ForbidAsync(http, refusal);
            return;
        }

        await using var cut = session.Ended.UnsafeRegister(static request => ((HttpContext)request!).Abort(), http);
        await ByKeyAsync(http, endpoint, session.Key, endsWithKey);
    }

    private Task ByKeyAsync(HttpContext http, Endpoint? endpoint, ApiKeyCache.CachedKey key, bool endsWithKey)
    {
        // Any key may read the pages and get routing's own answers. No key may use a route without a scope: that is a fault of the route.
        var required = endpoint?.Metadata.GetMetadata<RequiredScope>()?.AnyOf ?? (endpoint is RouteEndpoint ? Scope.None : Scope.Any);
        if (required is Scope.None) return ForbidAsync(http, "this route does not say which scope it needs, so no key may use it");
        if (!key.Caller.May(required))
        {
            var words = string.Join(' ', ScopeWords.Of(required));
            http.Response.Headers.WWWAuthenticate = $"{Challenge}, error=\"insufficient_scope\", scope=\"{words}\"";
            return ForbidAsync(http, $"this key lacks the scope it takes: {words.Replace(" ", " or ", StringComparison.Ordinal)}");
        }

        var isLimited = key.Caller.Workflows is not null;
        if (isLimited && endpoint is RouteEndpoint && endpoint.Metadata.GetMetadata<OpenToLimitedKeys>() is null)
            return ForbidAsync(http, "this key is limited to workflows, and this route is not about single workflows");

        Caller.Current = key.Caller;
        return isLimited || endsWithKey ? WatchedAsync(http, key.Ended) : next(http);
    }

    private async Task WatchedAsync(HttpContext http, CancellationToken end)
    {
        // Neither a stream nor a claim that waits for work must outlive its key.
        await using var cut = end.UnsafeRegister(static request => ((HttpContext)request!).Abort(), http);
        try
        {
            await next(http);
        }
        catch (BeyondKeyException forbidden) when (!http.Response.HasStarted)
        {
            await ForbidAsync(http, forbidden.Message);
        }
    }

    private Task UnknownAsync(HttpContext http, bool isForBrowsers)
    {
        if (failures.Failed(http.Connection.RemoteIpAddress) is not { } limit)
            return ChallengeAsync(http, isForBrowsers, $"{Challenge}, error=\"invalid_token\"", Unknown);

        if (limit.IsFirst) LogLimited(http.Connection.RemoteIpAddress);
        var seconds = Math.Max(1, (int)Math.Ceiling(limit.RetryAfter.TotalSeconds));
        http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return RefuseAsync(http, StatusCodes.Status429TooManyRequests, $"too many wrong API keys from this address: try again in {seconds} s");
    }

    // A browser can send a key only as a password, so pages for browsers take one. Other routes do not: a browser repeats a password by
    // itself, also in requests that another site's page causes.
    private static bool IsForBrowsers(PathString path) =>
        DocumentPage.IsAt(path) || path.Value is "/" || ApiDocument.IsAt(path);

    private static Task ChallengeAsync(HttpContext http, bool isForBrowsers, string challenge, string message)
    {
        http.Response.Headers.WWWAuthenticate = isForBrowsers ? new StringValues([challenge, BasicChallenge]) : challenge;
        return RefuseAsync(http, StatusCodes.Status401Unauthorized, message);
    }

    private static Task ForbidAsync(HttpContext http, string message) => RefuseAsync(http, StatusCodes.Status403Forbidden, message);

    private static Task RefuseAsync(HttpContext http, int status, string message)
    {
        http.Response.Headers.CacheControl = "no-store";
        return DialectErrorFormat.SendAsync(http, status, message);
    }

    private static ReadOnlySpan<char> Presented(StringValues header, bool mayBeBasic)
    {
        if (header.Count != 1 || header[0] is not { } text) return [];
        if (text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return text.AsSpan("Bearer ".Length).Trim();
        if (mayBeBasic && text.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase)) return PasswordOf(text.AsSpan("Basic ".Length).Trim());
        return [];
    }

    private static string PasswordOf(ReadOnlySpan<char> credentials)
    {
        Span<byte> decoded = stackalloc byte[512];
        if (credentials.Length > 512 || !Convert.TryFromBase64Chars(credentials, decoded, out var length)) return "";
        var text = Encoding.UTF8.GetString(decoded[..length]);
        return text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Too many wrong API keys from {Address}: wrong keys are answered 429 until the window is over")]
    private partial void LogLimited(IPAddress? address);
}
