using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Objects take unknown members, and show their example.</summary>
internal sealed class SchemaFilter : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema written) return;
        // Requests with unknown members are served, and answers may grow: clients must not be told otherwise.
        if (written.Type is not { } type || !type.HasFlag(JsonSchemaType.Object)) return;
        if (written.AdditionalProperties is null) written.AdditionalPropertiesAllowed = true;
        if (context.MemberInfo is null && context.ParameterInfo is null && ExampleBook.Of(context.Type) is { } example) written.Examples = [example];
    }
}
