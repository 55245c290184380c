using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Describes the answer to a compressed body, which every route with a body gives.</summary>
internal sealed class ContentCodingFilter : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (operation.RequestBody is null) return;
        (operation.Responses ??= []).TryAdd("415", new OpenApiResponse { Description = "The body has a Content-Encoding: send it uncompressed" });
    }
}
