using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>An optional query parameter that a route reads itself, for the API document: an integer, unless a method made it something else.</summary>
internal sealed record QueryParameter(string Name, string Description, int? Most = null)
{
    /// <summary>Least value of a number.</summary>
    public int Least { get; init; }

    private JsonSchemaType Type { get; init; } = JsonSchemaType.Integer;

    private string? Format { get; init; } = "int32";

    /// <summary>The values of a text are these alone; empty: any text.</summary>
    private IReadOnlyList<string> Words { get; init; } = [];

    private bool IsRepeated { get; init; }

    /// <summary>A parameter that takes text.</summary>
    public static QueryParameter Text(string name, string description, params IReadOnlyList<string> words) =>
        new(name, description) { Type = JsonSchemaType.String, Format = null, Words = words };

    /// <summary>A parameter that is given once for each text.</summary>
    public static QueryParameter Texts(string name, string description, params IReadOnlyList<string> words) => Text(name, description, words) with { IsRepeated = true };

    /// <summary>A parameter that takes true or false.</summary>
    public static QueryParameter Flag(string name, string description) => new(name, description) { Type = JsonSchemaType.Boolean, Format = null };

    /// <summary>A parameter that takes the id of a row.</summary>
    public static QueryParameter Id(string name, string description) => new(name, description) { Format = "int64" };

    /// <summary>A parameter that takes a number with a fraction.</summary>
    public static QueryParameter Number(string name, string description, int? most = null) => new(name, description, most) { Type = JsonSchemaType.Number, Format = "double" };

    /// <summary>A parameter that takes a number or a word.</summary>
    public static QueryParameter TextOrInteger(string name, string description) => new(name, description) { Type = JsonSchemaType.String | JsonSchemaType.Integer, Format = null };

    public OpenApiParameter ToParameter() => new() { Name = Name, In = ParameterLocation.Query, Description = Description, Schema = IsRepeated ? new() { Type = JsonSchemaType.Array, Items = Entry } : Entry };

    private OpenApiSchema Entry => Type is JsonSchemaType.Integer or JsonSchemaType.Number
        ? new() { Type = Type, Format = Format, Minimum = Least.ToString(CultureInfo.InvariantCulture), Maximum = Most?.ToString(CultureInfo.InvariantCulture) }
        : new() { Type = Type, Enum = Words.Count == 0 ? null : [.. Words.Select(word => (JsonNode)word!)] };
}

internal static class QueryParameters
{
    /// <summary>The route takes them.</summary>
    public static RouteHandlerBuilder TakesQuery(this RouteHandlerBuilder route, params IEnumerable<QueryParameter> parameters) => route.WithMetadata([.. parameters]);
}

/// <summary>Describes query parameters that routes read themselves, also in place of those in a handler's signature: there all are text.</summary>
internal sealed class QueryFilter : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        foreach (var parameter in context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<QueryParameter>())
        {
            var parameters = operation.Parameters ??= [];
            if (parameters.FirstOrDefault(known => known.In is ParameterLocation.Query && known.Name == parameter.Name) is { } known) parameters[parameters.IndexOf(known)] = parameter.ToParameter();
            else parameters.Add(parameter.ToParameter());
        }
    }
}
