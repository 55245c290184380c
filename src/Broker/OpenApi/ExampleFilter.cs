using System.Text.Json.Nodes;
using Broker.Http;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Puts an example beside each body: the route's own, else that of the body's type.</summary>
internal sealed class ExampleFilter : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var route = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        var own = route.OfType<RouteExample>().LastOrDefault();
        var form = route.OfType<DialectErrorFormat>().LastOrDefault()?.Form;
        var body = context.ApiDescription.ParameterDescriptions.FirstOrDefault(p => p.Source.Id == "Body")?.Type;
        Set(operation.RequestBody?.Content, own?.RequestJson, body);

        foreach (var answer in context.ApiDescription.SupportedResponseTypes)
        {
            if (operation.Responses?.TryGetValue($"{answer.StatusCode}", out var response) is not true) continue;
            if (form is not null && answer.Type == form.Type && answer.StatusCode >= 400) SetError(response!.Content, form.Example(answer.StatusCode, ErrorExamples.MessageOf(route, answer.StatusCode)));
            else Set(response!.Content, answer.StatusCode is >= 200 and < 300 ? own?.ResponseJson : null, answer.Type);
        }
    }

    private static void SetError(IDictionary<string, IOpenApiMediaType>? content, JsonNode example)
    {
        foreach (var described in content?.Values ?? []) if (described is OpenApiMediaType written) written.Example = example.DeepClone();
    }

    private static void Set(IDictionary<string, IOpenApiMediaType>? content, string? own, Type? type)
    {
        if ((own is not null ? ExampleBook.Parse(own) : type is null ? null : ExampleBook.Of(type)) is not { } example) return;
        foreach (var (mediaType, described) in content ?? new Dictionary<string, IOpenApiMediaType>())
        {
            // A string of plain text is a message, and what it says is the dialect's own matter.
            if (own is null && mediaType == "text/plain") continue;
            if (described is OpenApiMediaType written) written.Example = AsSent(mediaType, example);
        }
    }

    // A stream's example is text, as its schema is.
    private static JsonNode AsSent(string mediaType, JsonNode example) => mediaType switch
    {
        "text/event-stream" => JsonValue.Create($"data: {example.ToJsonString()}\n\n"),
        "application/x-ndjson" => JsonValue.Create($"{example.ToJsonString()}\n"),
        _ => example.DeepClone(),
    };
}
