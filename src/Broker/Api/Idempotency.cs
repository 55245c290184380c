using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Broker.Core.Runs;
using Broker.Operations;
using Microsoft.Extensions.Primitives;

namespace Broker.Api;

/// <summary>
/// The <c>Idempotency-Key</c> header of routes that start runs. A key belongs to its caller, its route and its workflow, so that two
/// callers who choose the same one do not meet. Requests without it are not looked at.
/// </summary>
internal static class Idempotency
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";
    public const int LongestKey = 255;

    public const string Malformed = $"{Header}: expected 1 to 255 visible ASCII characters";

    public static bool IsAsked(HttpRequest request) => request.Headers.ContainsKey(Header);

    /// <summary>Null when there is no header. False: there is one, and it is malformed.</summary>
    /// <param name="http">The request.</param>
    /// <param name="route">The route, whatever path it was reached by.</param>
    /// <param name="workflow">The workflow to start.</param>
    /// <param name="body">The body as it was read; undefined for none.</param>
    /// <param name="key">The request to start with.</param>
    public static bool TryRead(HttpContext http, string route, string workflow, JsonElement body, out StartKey? key)
    {
        key = null;
        if (!http.Request.Headers.TryGetValue(Header, out var given)) return true;
        if (given is not [{ } text] || !Fits(text)) return false;
        key = KeyOf(text, route, workflow, body.ValueKind is JsonValueKind.Undefined ? [] : JsonMarshal.GetRawUtf8Value(body));
        return true;
    }

    /// <summary>Whether a header may have that text.</summary>
    public static bool Fits(string text) => text.Length is > 0 and <= LongestKey && !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    /// <summary>The key of the present caller for a start of that workflow by that route, and the content that it stands for.</summary>
    public static StartKey KeyOf(string text, string route, string workflow, ReadOnlySpan<byte> request)
    {
        // As a JSON array, since no character is free to separate the four.
        var id = SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes<string[]>([Clients.KeyOf(), route, workflow, text]));
        return new(Convert.ToBase64String(id), Convert.ToBase64String(SHA256.HashData(request)));
    }

    /// <summary>Says on an answer that it is the one given before.</summary>
    public static void Mark(HttpResponse response, StartOutcome outcome)
    {
        if (outcome.Replayed) response.Headers[ReplayedHeader] = new StringValues("true");
    }
}

/// <summary>Marks routes that take the header, for the API document.</summary>
internal sealed class StartsOnce
{
    public static readonly StartsOnce Mark = new();
}
