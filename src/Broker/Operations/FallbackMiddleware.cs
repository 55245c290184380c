using Broker.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Broker.Operations;

/// <summary>Answers where routing found no route. An endpoint's own answer stays as it is, also when it is empty.</summary>
internal sealed class FallbackMiddleware(RequestDelegate next, IServiceProvider services)
{
    private readonly DialectPaths paths = DialectPaths.Of(services);

    public Task InvokeAsync(HttpContext http)
    {
        var handled = next(http);
        return handled.IsCompletedSuccessfully && !Applies(http) ? Task.CompletedTask : FinishAsync(http, handled);
    }

    private async Task FinishAsync(HttpContext http, Task handled)
    {
        await handled;
        if (!Applies(http)) return;
        var status = http.Response.StatusCode;
        if (paths.Has(http.Request.Path))
        {
            await paths.RefuseAsync(http, status, ReasonPhrases.GetReasonPhrase(status));
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
}
