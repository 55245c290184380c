using Broker.Settings;

namespace Broker.Api.InstancesDialect;

/// <summary>
/// The flat list of workflows is <c>GET X/</c>, with the slash; <c>GET X</c> belongs to another dialect. Routing takes both for the same
/// path, so the first becomes <c>X/workflows</c> before it looks.
/// </summary>
internal static class TrailingSlash
{
    /// <summary>Call it before <c>UseRouting</c>.</summary>
    public static void UseInstancesTrailingSlash(this IApplicationBuilder app, BrokerSettings settings)
    {
        var basePath = InstancePaths.Base(settings);
        PathString flatList = basePath + "/", documented = basePath + InstancePaths.Workflows;
        app.Use((http, next) =>
        {
            if (HttpMethods.IsGet(http.Request.Method) && http.Request.Path.Equals(flatList, StringComparison.OrdinalIgnoreCase)) http.Request.Path = documented;
            return next(http);
        });
    }
}
