namespace Broker.OpenApi;

/// <summary>Examples that the API document shows for one route, where the example of the body's type would mislead.</summary>
internal sealed record RouteExample(string? RequestJson, string? ResponseJson);

internal static class RouteExamples
{
    public static RouteHandlerBuilder WithExample(this RouteHandlerBuilder route, string? requestJson = null, string? responseJson = null) =>
        route.WithMetadata(new RouteExample(requestJson, responseJson));
}
