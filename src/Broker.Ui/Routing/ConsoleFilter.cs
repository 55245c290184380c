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
            return await RefusedAsync(http, call.GetArgument<IOperatorApi>(1), refused);
        }
    }

    private static async Task<IResult> RefusedAsync(HttpContext http, IOperatorApi api, OperatorException refused)
    {
        var page = await PageResult.ContextAsync(http, api, http.RequestAborted);
        return PageResult.Show<ProblemPage>(new() { [nameof(ProblemPage.Page)] = page, [nameof(ProblemPage.Refused)] = refused }, refused.Status);
    }
}
