using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Operators;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Objects take unknown members, show their example, and say which members may be null.</summary>
internal sealed class SchemaFilter : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema written) return;
        ShowNull(written, context.Type);

        // Requests with unknown members are served, and answers may grow: the document must not say otherwise.
        if (written.Type is not { } type || !type.HasFlag(JsonSchemaType.Object)) return;
        if (written.AdditionalProperties is null) written.AdditionalPropertiesAllowed = true;
        if (context.MemberInfo is null && context.ParameterInfo is null && ExampleBook.Of(context.Type) is { } example) written.Examples = [example];
    }

    private static string? NameOf(PropertyInfo property) => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
        ?? (property.DeclaringType?.Assembly == typeof(OperatorJson).Assembly ? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name) : null);

    /// <summary>A reference to a schema says nothing of null, so a nullable member of a described type is null or the reference.</summary>
    private static void ShowNull(OpenApiSchema written, Type type)
    {
        var nullability = new NullabilityInfoContext();
        foreach (var property in type.GetProperties())
        {
            if (NameOf(property) is not { } name) continue;
            if (written.Properties?.TryGetValue(name, out var member) is not true || member is not OpenApiSchemaReference) continue;
            if (nullability.Create(property).ReadState is NullabilityState.Nullable) written.Properties[name] = new OpenApiSchema { AnyOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, member] };
        }
    }
}
