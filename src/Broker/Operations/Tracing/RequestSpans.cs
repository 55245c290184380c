using System.Diagnostics;

namespace Broker.Operations.Tracing;

/// <summary>Gives a request's span the name of its route and its outcome, where the request is traced.</summary>
internal sealed class RequestSpans(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http) => TraceParents.Span is { } span ? TracedAsync(http, span) : next(http);

    private async Task TracedAsync(HttpContext http, Activity span)
    {
        try
        {
            await next(http);
        }
        finally
        {
            // Set only while a route is matched; the path itself would make a name for each run.
            var route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
            span.DisplayName = route is null ? http.Request.Method : $"{http.Request.Method} {route}";
            span.SetTag("http.request.method", http.Request.Method);
            span.SetTag("http.route", route);
            span.SetTag("http.response.status_code", http.Response.StatusCode);
            if (http.Response.StatusCode >= StatusCodes.Status500InternalServerError) span.SetStatus(ActivityStatusCode.Error);
        }
    }
}
