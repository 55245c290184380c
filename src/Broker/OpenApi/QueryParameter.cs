using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>An optional query parameter that a route reads itself: an integer from 0 on, for the API document.</summary>
internal sealed record QueryParameter(string Name, string Description, int? Most = null);

internal static class QueryParameters
{
    /// <summary>The route takes it.</summary>
    public static RouteHandlerBuilder TakesQuery(this RouteHandlerBuilder route, QueryParameter parameter) => route.WithMetadata(parameter);
}

/// <summary>Describes query parameters that routes read themselves.</summary>
internal sealed class QueryFilter : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        foreach (var parameter in context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<QueryParameter>())
        {
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = parameter.Name,
                In = ParameterLocation.Query,
                Description = parameter.Description,
                Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Minimum = "0", Maximum = parameter.Most?.ToString(System.Globalization.CultureInfo.InvariantCulture) },
            });
        }
    }
}
