using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;

namespace Broker.Http;

/// <summary>Problem details (RFC 9457) for paths without a dialect.</summary>
internal static class ProblemAnswer
{
    private const string ContentType = "application/problem+json";

    public static async Task SendAsync(HttpContext http, int status, string detail)
    {
        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer, JsonAnswer.Options))
        {
            json.WriteStartObject();
            json.WriteString("type", "about:blank");
            json.WriteString("title", ReasonPhrases.GetReasonPhrase(status));
            json.WriteNumber("status", status);
            json.WriteString("detail", detail);
            json.WriteString("request_id", http.TraceIdentifier);
            json.WriteEndObject();
        }

        http.Response.StatusCode = status;
        http.Response.ContentType = ContentType;
        http.Response.ContentLength = buffer.Written.Length;
        await http.Response.Body.WriteAsync(buffer.Written);
    }
}
