using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Routing;

/// <summary>Keys and sessions of the host.</summary>
public interface ISignIn
{
    /// <summary>The host asks for a key.</summary>
    bool IsAsked { get; }

    /// <summary>Begins a session for a key, and sets its cookie.</summary>
    /// <param name="http">The request.</param>
    /// <param name="key">The key as it was typed.</param>
    Task<SignInOutcome> EnterAsync(HttpContext http, string key);

    /// <summary>Ends the session of the request, and removes its cookie.</summary>
    Task LeaveAsync(HttpContext http);
}

/// <summary>Outcome of a sign-in.</summary>
/// <param name="Fault">The refusal, for people; null: the session has begun.</param>
/// <param name="Status">Status of the page that says so.</param>
public sealed record SignInOutcome(string? Fault, int Status);
