using Broker.Engine;
using Broker.Http;
using Microsoft.Net.Http.Headers;

namespace Broker.Operations;

/// <summary>Answers exceptions in the dialect's form: the status, a message, and in a header the id under which the log has the rest.</summary>
internal sealed partial class ExceptionMiddleware(RequestDelegate next, IHostApplicationLifetime lifetime, ILogger<ExceptionMiddleware> log)
{
    private const int ClientClosedRequest = 499;

    // Headers of an answer that was begun and not sent: the error answer must not carry them.
    private static readonly string[] OfTheBody =
    [
        HeaderNames.ContentLength, HeaderNames.ContentType, HeaderNames.ContentEncoding, HeaderNames.ContentDisposition,
        HeaderNames.ETag, HeaderNames.LastModified, HeaderNames.Location, HeaderNames.CacheControl,
    ];

    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            if (!http.Response.HasStarted) http.Response.StatusCode = ClientClosedRequest;
        }
        catch (Exception fault)
        {
            if (http.Response.HasStarted)
            {
                // A partial answer must not look complete: the connection is aborted.
                BrokenOff(fault, http.Request.Method, http.Request.Path.Value);
                http.Abort();
                return;
            }

            await AnswerAsync(http, fault);
        }
    }

    private Task AnswerAsync(HttpContext http, Exception fault)
    {
        foreach (var header in OfTheBody) http.Response.Headers.Remove(header);
        switch (fault)
        {
            case BadHttpRequestException bad:
                return DialectErrorFormat.SendAsync(http, bad.StatusCode, bad.Message);
            case WorkflowBrokenException broken:
                return DialectErrorFormat.SendAsync(http, StatusCodes.Status409Conflict, broken.Message);
            case BodyBudgetException full:
                return UnavailableAsync(http, full.Message);
            case var _ when DatabaseOutage.MessageOf(http, fault) is { } message:
                Unavailable(fault, http.Request.Method, http.Request.Path.Value);
                return UnavailableAsync(http, message);
            case OperationCanceledException when lifetime.ApplicationStopping.IsCancellationRequested:
                return UnavailableAsync(http, "The broker is stopping.");
            default:
                Failed(fault, http.Request.Method, http.Request.Path.Value);
                return DialectErrorFormat.SendAsync(http, StatusCodes.Status500InternalServerError, "The broker failed. Its log tells more under this request id.");
        }
    }

    private static Task UnavailableAsync(HttpContext http, string detail)
    {
        http.Response.Headers.RetryAfter = DatabaseOutage.RetryAfterSecs;
        return DialectErrorFormat.SendAsync(http, StatusCodes.Status503ServiceUnavailable, detail);
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void Failed(Exception fault, string method, string? path);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "{Method} {Path} failed after its answer had begun")]
    private partial void BrokenOff(Exception fault, string method, string? path);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "{Method} {Path} was refused: the database is unavailable")]
    private partial void Unavailable(Exception fault, string method, string? path);
}
