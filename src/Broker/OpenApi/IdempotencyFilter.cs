using Broker.Api;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Describes the header of routes that start runs, which they read themselves.</summary>
internal sealed class IdempotencyFilter : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (!context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<StartsOnce>().Any()) return;
        (operation.Parameters ??= []).Add(new OpenApiParameter
        {
            Name = Idempotency.Header,
            In = ParameterLocation.Header,
            Description = "Sent again with the same key and body, the request is answered with the run that it started the first time, and "
                + $"`{Idempotency.ReplayedHeader}: true`. Another body under the same key is a 422.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = Idempotency.LongestKey },
        });
    }
}
