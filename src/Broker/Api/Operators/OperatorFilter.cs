using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Around each route: refuses parameters that it does not take, and answers refusals as problems.</summary>
internal static class OperatorFilter
{
    public static async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        try
        {
            new OperatorQuery(http.Request).Check(http.GetEndpoint()!.Metadata.GetOrderedMetadata<QueryParameter>());
            return await next(call);
        }
        catch (OperatorException refused) when (!http.Response.HasStarted)
        {
            await ProblemAnswer.SendAsync(http, refused);
            return Results.Empty;
        }
    }
}
