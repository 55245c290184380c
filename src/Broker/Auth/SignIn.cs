using Broker.Ui.Routing;

namespace Broker.Auth;

/// <summary>Trades a key for a session of a browser.</summary>
internal sealed class SignIn(ApiKeyCache keys, SessionCache sessions, FailureLimiter failures) : ISignIn
{
    private const int LongestAgent = 200;

    public bool IsAsked => keys.AreRequired;

    public async Task<SignInOutcome> EnterAsync(HttpContext http, string key)
    {
        if (keys.Find(key) is not { } known)
        {
            return failures.Failed(http.Connection.RemoteIpAddress) is { } limit
                ? new($"There were too many wrong keys from this address. Try again in {Math.Max(1, (int)Math.Ceiling(limit.RetryAfter.TotalSeconds))} s.", StatusCodes.Status429TooManyRequests)
                : new("This key is not known: it is wrong, or it was revoked.", StatusCodes.Status401Unauthorized);
        }

        var agent = http.Request.Headers.UserAgent.ToString();
        SessionCookie.Set(http, await sessions.AddAsync(known.Caller.Id, agent.Length <= LongestAgent ? agent : agent[..LongestAgent], http.RequestAborted), SessionCache.Life);
        return new(null, StatusCodes.Status303SeeOther);
    }

    public async Task LeaveAsync(HttpContext http)
    {
        if (SessionCookie.Of(http.Request) is { } token) await sessions.EndAsync(token, http.RequestAborted);
        SessionCookie.Remove(http);
    }
}
