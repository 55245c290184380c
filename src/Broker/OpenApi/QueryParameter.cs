using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>An optional query parameter that a route reads itself, for the API document: an integer, unless it is made by <see cref="Text"/>.</summary>
internal sealed record QueryParameter(string Name, string Description, int? Most = null)
{
    /// <summary>Least value of an integer.</summary>
    public int Least { get; init; }

    /// <summary>The values of a text are these alone; empty: any text. Null: an integer.</summary>
    public IReadOnlyList<string>? Words { get; init; }

    /// <summary>A parameter that takes text.</summary>
    public static QueryParameter Text(string name, string description, params IReadOnlyList<string> words) => new(name, description) { Words = words };
}

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
                Schema = SchemaOf(parameter),
            });
        }
    }

    private static OpenApiSchema SchemaOf(QueryParameter parameter) => parameter.Words is { } words
        ? new() { Type = JsonSchemaType.String, Enum = words.Count == 0 ? null : [.. words.Select(word => (JsonNode)word!)] }
        : new()
        {
            Type = JsonSchemaType.Integer,
            Format = "int32",
            Minimum = parameter.Least.ToString(CultureInfo.InvariantCulture),
            Maximum = parameter.Most?.ToString(CultureInfo.InvariantCulture),
        };
}
