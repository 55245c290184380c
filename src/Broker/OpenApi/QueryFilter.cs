using System.Globalization;
using System.Text.Json.Nodes;
using Broker.Api.Operators;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Describes the query of routes that read it themselves.</summary>
internal sealed class QueryFilter : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<QueryParameters>().LastOrDefault() is not { } query) return;
        operation.Parameters ??= [];
        foreach (var parameter in query.All)
        {
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = parameter.Name,
                In = ParameterLocation.Query,
                Description = parameter.Description,
                Schema = SchemaOf(parameter),
            });
        }
    }

    private static OpenApiSchema SchemaOf(QueryParameter parameter)
    {
        if (parameter.Range is not { } range)
            return new() { Type = JsonSchemaType.String, Enum = parameter.Words.Count == 0 ? null : [.. parameter.Words.Select(word => (JsonNode)JsonValue.Create(word)!)] };
        return new()
        {
            Type = JsonSchemaType.Integer,
            Minimum = range.Least.ToString(CultureInfo.InvariantCulture),
            Maximum = range.Most.ToString(CultureInfo.InvariantCulture),
        };
    }
}
