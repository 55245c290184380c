using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>A further type of a route's body, which is text, with an example.</summary>
internal sealed record OtherBody(string ContentType, string Example);

/// <summary>Describes the further types of bodies.</summary>
internal sealed class OtherBodyFilter : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        foreach (var other in context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<OtherBody>())
        {
            if (operation.RequestBody?.Content is { } content)
                content[other.ContentType] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = JsonValue.Create(other.Example) };
        }
    }
}
