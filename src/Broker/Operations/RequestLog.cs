using System.Diagnostics;
using Broker.Auth;

namespace Broker.Operations;

/// <summary>
/// Writes one line for each request, with the id that its answer carries. Query, headers and bodies are never written: they may hold
/// credentials. Successful calls of workers, a thousand a second, have level Debug: their lines say nothing new and cost time.
/// </summary>
internal sealed partial class RequestLog(RequestDelegate next, ILogger<RequestLog> log)
{
    private const string RequestId = "X-Request-Id";
    private const int LongestId = 128;

    public Task InvokeAsync(HttpContext http)
    {
        if (http.Request.Headers.TryGetValue(RequestId, out var given) && given is [{ } id] && IsPlain(id)) http.TraceIdentifier = id;
        http.Response.Headers[RequestId] = http.TraceIdentifier;
        SecurityHeaders.Set(http);
        return log.IsEnabled(LogLevel.Information) ? LoggedAsync(http) : next(http);
    }

    private async Task LoggedAsync(HttpContext http)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            await next(http);
        }
        finally
        {
            var level = IsRoutine(http) ? LogLevel.Debug : LogLevel.Information;
            if (log.IsEnabled(level))
                Handled(level, http.Request.Method, http.Request.Path.Value, http.Response.StatusCode, Math.Round(Stopwatch.GetElapsedTime(began).TotalMilliseconds, 2));
        }
    }

    private static bool IsRoutine(HttpContext http) =>
        http.Request.Path.Value is Probes.Live or Probes.Ready or "/health"
        || (http.Response.StatusCode < StatusCodes.Status400BadRequest && http.GetEndpoint()?.Metadata.GetMetadata<RequiredScope>()?.AnyOf is Scope.Worker);

    /// <summary>Whether a client's id is harmless in a header and in a log line.</summary>
    private static bool IsPlain(string id) => id.Length is > 0 and <= LongestId && !id.AsSpan().ContainsAnyExceptInRange('!', '~');

    [LoggerMessage(EventId = 1, Message = "{Method} {Path} answered {Status} in {Milliseconds} ms")]
    private partial void Handled(LogLevel level, string method, string? path, int status, double milliseconds);
}
