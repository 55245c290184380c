using Broker.Api;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>An optional header that a route reads itself, for the API document.</summary>
internal sealed record HeaderParameter(string Name, string Description)
{
    public static HeaderParameter IdempotencyKey { get; } = new(
        Idempotency.Header,
        "Sent again with the same key and body, the request is answered with the run that it started the first time, and "
        + $"`{Idempotency.ReplayedHeader}: true`. Another body under the same key is a 422.")
    {
        LongestValue = Idempotency.LongestKey,
    };

    public int? LongestValue { get; init; }
}

/// <summary>A header of a route's answers of one status.</summary>
internal sealed record AnswerHeader(int Status, string Name);

internal static class HeaderParameters
{
    /// <summary>The answer has that header.</summary>
    public static RouteHandlerBuilder AnswersWithHeader(this RouteHandlerBuilder route, int status, string name) => route.WithMetadata(new AnswerHeader(status, name));

    /// <summary>The route takes it.</summary>
    public static RouteHandlerBuilder TakesHeader(this RouteHandlerBuilder route, HeaderParameter header) => route.WithMetadata(header);
}

/// <summary>Describes headers that routes read themselves. Of routes that start runs the answers have one too.</summary>
internal sealed class HeaderFilter : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var route = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        foreach (var header in route.OfType<HeaderParameter>()) Add(operation, header);
        foreach (var header in route.OfType<AnswerHeader>())
            if (operation.Responses?.TryGetValue($"{header.Status}", out var response) is true && response is OpenApiResponse answer) Headers.Add(answer, header.Name);
        if (!route.OfType<StartsOnce>().Any()) return;
        Add(operation, HeaderParameter.IdempotencyKey);
        foreach (var (status, response) in operation.Responses ?? [])
            if ((status[0] is '2' or '5' || status is "410" or "424") && response is OpenApiResponse written) Headers.Add(written, Idempotency.ReplayedHeader);
    }

    private static void Add(OpenApiOperation operation, HeaderParameter header) => (operation.Parameters ??= []).Add(new OpenApiParameter
    {
        Name = header.Name,
        In = ParameterLocation.Header,
        Description = header.Description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = header.LongestValue is null ? null : 1, MaxLength = header.LongestValue },
    });
}
