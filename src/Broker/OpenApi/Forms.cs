using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Bodies of several forms, each a schema with a name: makers of clients derive the name of a type from it.</summary>
internal static class Forms
{
    public static OpenApiSchemaReference Name(OperationFilterContext context, string name, IList<IOpenApiSchema> forms)
    {
        context.SchemaRepository.Schemas[name] = new OpenApiSchema { AnyOf = forms, Description = "One of several forms: the operation says when." };
        return new OpenApiSchemaReference(name, context.Document);
    }
}
