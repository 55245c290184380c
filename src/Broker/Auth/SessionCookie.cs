using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace Broker.Auth;

/// <summary>
/// Cookie of a session. Its token has 256 random bits; the database keeps the hash. The broker reads it on routes of the console and of the
/// API for operators only.
/// </summary>
internal static class SessionCookie
{
    private const string Name = "broker-session";
    private const string SecureName = "__Secure-broker-session";
    private const int TokenBytes = 32;

    public static string NewToken() => WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(TokenBytes));

    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>The token of a request; null when it has none.</summary>
    public static string? Of(HttpRequest request) =>
        (request.Cookies[request.IsHttps ? SecureName : Name] ?? request.Cookies[SecureName]) is { Length: > 0 and <= 100 } token ? token : null;

    public static void Set(HttpContext http, string token, TimeSpan life) => http.Response.Cookies.Append(NameFor(http), token, Options(http, life));

    public static void Remove(HttpContext http) => http.Response.Cookies.Delete(NameFor(http), Options(http, null));

    private static string NameFor(HttpContext http) => IsSecure(http) ? SecureName : Name;

    // A proxy that ends TLS says so.
    private static bool IsSecure(HttpContext http) => http.Request.IsHttps || string.Equals(http.Request.Headers["X-Forwarded-Proto"], "https", StringComparison.OrdinalIgnoreCase);

    private static CookieOptions Options(HttpContext http, TimeSpan? life) => new()
    {
        HttpOnly = true,
        IsEssential = true,
        MaxAge = life,
        Path = $"{http.Request.PathBase}/",
        SameSite = SameSiteMode.Strict,
        Secure = IsSecure(http),
    };
}
