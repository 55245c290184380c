using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Streams are text whatever type their entries have; answers of several forms show all; statuses have a word, also those that Swashbuckle calls unknown.</summary>
internal sealed class AnswerFilter : IOperationFilter
{
    // Makers of clients hand such a body over as it is; of other text they expect JSON.
    private const string Raw = "binary";

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        foreach (var (status, response) in operation.Responses ?? [])
        {
            if (int.TryParse(status, out var code) && ReasonPhrases.GetReasonPhrase(code) is { Length: > 0 } phrase && response is OpenApiResponse written)
                written.Description = phrase;
            foreach (var (mediaType, described) in response.Content ?? new Dictionary<string, IOpenApiMediaType>())
            {
                if (mediaType is "text/plain" && described is OpenApiMediaType text)
                    text.Schema = new OpenApiSchema { Type = JsonSchemaType.String };
                else if ((mediaType is "text/event-stream" or "application/x-ndjson") && described is OpenApiMediaType stream)
                    stream.Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = Raw, Description = "JSON texts of this schema, one for each entry.", ContentMediaType = "application/json", ContentSchema = stream.Schema };
                else if (!mediaType.EndsWith("json", StringComparison.Ordinal) && described is OpenApiMediaType { Schema: OpenApiSchema raw })
                    raw.Format = Raw;
                else if (described is OpenApiMediaType { Schema: { } first } json && Others(context, status) is { Count: > 0 } others)
                    json.Schema = Forms.Name(context, $"{operation.OperationId}Answer", [first, .. others]);
            }
        }
    }

    private static List<IOpenApiSchema> Others(OperationFilterContext context, string status) =>
    [
        .. context.ApiDescription.ActionDescriptor.EndpointMetadata.OfType<OtherAnswer>()
            .Where(other => $"{other.Status}" == status)
            .Select(other => other.Type is { } type
                ? context.SchemaGenerator.GenerateSchema(type, context.SchemaRepository)
                : new OpenApiSchema { Type = JsonSchemaType.Null }),
    ];
}
