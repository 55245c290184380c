namespace Broker.Api.JobsDialect;

internal static class JobsDialectApi
{
    public static void MapJobsDialect(this IEndpointRouteBuilder routes)
    {
    }
}
