namespace Broker.Api.InstancesDialect;

internal static class InstancesDialectApi
{
    public static void MapInstancesDialect(this IEndpointRouteBuilder routes, Settings.BrokerSettings settings)
    {
    }
}
