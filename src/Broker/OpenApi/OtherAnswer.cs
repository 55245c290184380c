namespace Broker.OpenApi;

/// <summary>A further form of a route's JSON answer, beside the one of <c>Produces</c>; without a type: null.</summary>
internal sealed record OtherAnswer(int Status, Type? Type);

internal static class OtherAnswers
{
    /// <summary>The answer may have that form too.</summary>
    public static RouteHandlerBuilder OrProduces<T>(this RouteHandlerBuilder route, int status = StatusCodes.Status200OK) =>
        route.WithMetadata(new OtherAnswer(status, typeof(T)));

    /// <summary>The answer may be null.</summary>
    public static RouteHandlerBuilder OrProducesNull(this RouteHandlerBuilder route, int status = StatusCodes.Status200OK) =>
        route.WithMetadata(new OtherAnswer(status, null));
}
