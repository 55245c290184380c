namespace Broker.Api.BrokerDialect;

internal static class BrokerDialectApi
{
    public static void MapBrokerDialect(this IEndpointRouteBuilder routes)
    {
    }
}
