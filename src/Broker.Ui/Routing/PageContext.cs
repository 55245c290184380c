using Broker.Operators;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Routing;

/// <summary>Facts of every page: the caller, the place of the console, and the instant of the answer.</summary>
/// <param name="Me">The caller and the broker.</param>
/// <param name="Links">Addresses of pages.</param>
/// <param name="Now">The broker's time.</param>
/// <param name="Path">Path and query of this page, behind the console's own address.</param>
/// <param name="Theme">light or dark, where it was chosen in this browser; null: as the system has it.</param>
/// <param name="IsFragment">The console's script asks for the content alone.</param>
public sealed record PageContext(Me Me, Links Links, DateTimeOffset Now, string Path, string? Theme, bool IsFragment)
{
    private const string ThemeCookie = "broker-theme";

    /// <summary>The theme that a browser has chosen.</summary>
    public static string? ThemeOf(HttpRequest request) => request.Cookies[ThemeCookie] is "light" or "dark" ? request.Cookies[ThemeCookie] : null;

    /// <summary>Whether the caller's key has one of these scopes.</summary>
    public bool May(params ReadOnlySpan<string> scopes)
    {
        foreach (var scope in scopes)
        {
            if (Me.Scopes.Contains(scope) || Me.Scopes.Contains("admin")) return true;
        }

        return false;
    }

    /// <summary>The reason why a control with that scope is off; null where the key has it.</summary>
    public string? WhyNot(string scope) => May(scope) ? null : $"needs the scope {scope}; this key has {string.Join(", ", Me.Scopes)}";
}
