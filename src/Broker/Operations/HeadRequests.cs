using Broker.Http;

namespace Broker.Operations;

/// <summary>
/// Answers HEAD, which probes, link checkers and proxies send, by the GET route itself. The server knows the original method and leaves the
/// body out.
/// </summary>
internal static class HeadRequests
{
    private static readonly object Asked = new();

    /// <summary>Comes before whatever looks at the method.</summary>
    public static void UseHeadRequests(this IApplicationBuilder app) => app.Use((http, next) =>
        HttpMethods.IsHead(http.Request.Method) ? AsGetAsync(http, next) : next(http));

    /// <summary>Comes after routing: streams and claims are 405, as other methods are.</summary>
    public static void RefuseSomeHeads(this IApplicationBuilder app) => app.Use((http, next) =>
    {
        if (!http.Items.ContainsKey(Asked) || http.GetEndpoint()?.Metadata.GetMetadata<NoHead>() is null) return next(http);
        http.SetEndpoint(null);
        http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        http.Response.Headers.Allow = HttpMethods.Get;
        return Task.CompletedTask;
    });

    private static async Task AsGetAsync(HttpContext http, RequestDelegate next)
    {
        http.Items[Asked] = Asked;
        http.Request.Method = HttpMethods.Get;
        try
        {
            await next(http);
        }
        finally
        {
            // The request log names the original method.
            http.Request.Method = HttpMethods.Head;
        }
    }
}
