using System.Text.Json.Nodes;
using Broker.Http;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>A further type of a route's body, which is text, with an example.</summary>
internal sealed record OtherBody(string ContentType, string Example);

/// <summary>A further form of a route's JSON body.</summary>
internal sealed record OtherForm(Type Type);

/// <summary>Mark of a route that refuses a request without a body by itself. For routing the body is optional, so that it may have any content type.</summary>
internal sealed class NeedsBody
{
    public static readonly NeedsBody Mark = new();
}

/// <summary>Describes the types of bodies, and whether one is required.</summary>
internal sealed class BodyFilter : IOperationFilter
{
    private const string AnyType = "*/*";

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (operation.RequestBody is not OpenApiRequestBody { Content: { } content } body) return;
        var route = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        foreach (var other in route.OfType<OtherBody>())
            content[other.ContentType] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = JsonValue.Create(other.Example) };

        if (route.OfType<OtherForm>().ToList() is { Count: > 0 } forms && content[JsonAnswer.ContentType] is OpenApiMediaType { Schema: { } first } json)
            json.Schema = Forms.Name(context, $"{operation.OperationId}Body", [first, .. forms.Select(form => context.SchemaGenerator.GenerateSchema(form.Type, context.SchemaRepository))]);

        // Routing takes JSON under any content type, for clients that send a wrong one. New clients need not know.
        content.Remove(AnyType);
        body.Required |= route.OfType<NeedsBody>().Any();
    }
}
