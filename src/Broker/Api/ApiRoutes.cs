using Broker.Api.BrokerDialect;
using Broker.Api.HandlersDialect;
using Broker.Api.InstancesDialect;
using Broker.Api.JobsDialect;
using Broker.Api.Operators;
using Broker.Operators;
using Broker.Settings;

namespace Broker.Api;

/// <summary>Every dialect at its documented paths.</summary>
internal static class ApiRoutes
{
    public static void AddDialects(this IServiceCollection services)
    {
        services.AddSingleton(HandlersDialectApi.Paths).AddSingleton<IOperatorApi, OperatorService>();

        // Without this, binding failures return an empty body outside Development.
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
    }

    public static void MapDialects(this IEndpointRouteBuilder routes, BrokerSettings settings)
    {
        routes.MapBrokerDialect();
        routes.MapJobsDialect();
        routes.MapHandlersDialect();
        routes.MapInstancesDialect(settings);
        routes.MapOperatorApi();
    }
}
