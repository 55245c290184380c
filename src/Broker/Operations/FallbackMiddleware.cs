namespace Broker.Operations;

/// <summary>Answers where routing found no route. An endpoint's own answer stays as it is, also when it is empty.</summary>
internal sealed class FallbackMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        var handled = next(http);
        return handled.IsCompletedSuccessfully && !Applies(http) ? Task.CompletedTask : FinishAsync(http, handled);
    }

    private static async Task FinishAsync(HttpContext http, Task handled)
    {
        await handled;
        if (!Applies(http)) return;
        var status = http.Response.StatusCode;
        if (HandlersPaths.Has(http.Request.Path))
        {
            await PlainAsync(http.Response, status switch { 404 => "Not Found", 405 => "Method Not Allowed", _ => "Unsupported Media Type" });
            return;
        }

        await ProblemAnswer.SendAsync(http, status, status switch
        {
            404 => "No route has this path; /docs lists the routes.",
            405 => $"This path takes {http.Response.Headers.Allow}.",
            _ => "The body must be application/json.",
        });
    }

    // Routing's own endpoints for a wrong method or content type are no routes.
    private static bool Applies(HttpContext http) =>
        http.Response.StatusCode is 404 or 405 or 415 && !http.Response.HasStarted && http.GetEndpoint() is not RouteEndpoint;

    private static Task PlainAsync(HttpResponse response, string text)
    {
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = text.Length;
        return response.WriteAsync(text);
    }
}
