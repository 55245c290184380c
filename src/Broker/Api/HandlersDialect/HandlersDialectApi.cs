namespace Broker.Api.HandlersDialect;

internal static class HandlersDialectApi
{
    public static void MapHandlersDialect(this IEndpointRouteBuilder routes)
    {
    }
}
