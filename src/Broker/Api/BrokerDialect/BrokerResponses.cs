using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Core.Definitions;
using Broker.Engine;
using Broker.Http;

namespace Broker.Api.BrokerDialect;

/// <summary>The dialect's answers: errors are <c>{"detail", "problems"}</c>, times are seconds since 1970 with a fraction.</summary>
internal static class BrokerResponses
{
    public static ErrorForm Form { get; } = new(typeof(RequestRefused), JsonAnswer.ContentType, static (_, message) => new JsonObject { ["detail"] = message });

    public static BrokerEngine Engine(this HttpContext http) => http.RequestServices.GetRequiredService<BrokerEngine>();

    public static Task NoContent(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    public static Task Fail(HttpContext http, int status, string detail) => Fail(http, status, detail, []);

    /// <summary>An error that programs know by its code.</summary>
    public static Task Fail(HttpContext http, int status, string detail, string code) =>
        JsonAnswer.SendAsync(http.Response, status, new RequestRefused(detail, null, code), BrokerJson.Default.RequestRefused);

    public static Task Fail(HttpContext http, int status, string detail, IReadOnlyList<DefinitionProblem> problems) => JsonAnswer.SendAsync(
        http.Response,
        status,
        new RequestRefused(detail, problems.Count == 0 ? null : [.. problems.Select(problem => new RequestProblem(problem.Path, problem.Message))]),
        BrokerJson.Default.RequestRefused);

    public static Task Text(HttpContext http, string text) =>
        JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, text, static (json, value) => json.WriteStringValue(value));

    public static void WriteSeconds(this Utf8JsonWriter json, ReadOnlySpan<byte> member, DateTimeOffset at)
    {
        json.WritePropertyName(member);
        json.WriteSeconds(at);
    }

    /// <summary>See <see cref="EpochSeconds"/>.</summary>
    public static void WriteSeconds(this Utf8JsonWriter json, DateTimeOffset at)
    {
        Span<byte> text = stackalloc byte[32];
        var micros = (at.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        var (seconds, fraction) = Math.DivRem(micros, 1_000_000);
        Utf8Formatter.TryFormat(seconds, text, out var length);
        text[length++] = (byte)'.';
        Utf8Formatter.TryFormat(fraction, text[length..], out _, new('D', 6));
        length += 6;
        while (text[length - 1] == '0' && text[length - 2] != '.') length--;
        json.WriteRawValue(text[..length], skipInputValidation: true);
    }
}
