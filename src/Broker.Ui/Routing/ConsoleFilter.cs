using Broker.Operators;
using Broker.Ui.Pages;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Routing;

/// <summary>Around each page: its policy, and a page in place of a refusal.</summary>
internal static class ConsoleFilter
{
    public static async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        http.Response.Headers.ContentSecurityPolicy = ConsoleRoutes.ContentPolicy;
        http.Response.Headers.CacheControl = "no-store";
        try
        {
            return await next(call);
        }
        catch (OperatorException refused) when (!http.Response.HasStarted)
        {
            // The sign-in has no caller yet, and so no frame of a page.
            return call.Arguments.OfType<IOperatorApi>().FirstOrDefault() is { } api
                ? await RefusedAsync(http, api, refused)
                : TypedResults.Text(refused.Message, statusCode: refused.Status);
        }
    }

    private static async Task<IResult> RefusedAsync(HttpContext http, IOperatorApi api, OperatorException refused)
    {
        var page = await PageResult.ContextAsync(http, api, http.RequestAborted);
        return PageResult.Show<ProblemPage>(new() { [nameof(ProblemPage.Page)] = page, [nameof(ProblemPage.Refused)] = refused }, refused.Status);
    }
}
