namespace Broker.Api.Operators;

/// <summary>A parameter of the query, as the API document describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it does, and its default.</param>
internal sealed record QueryParameter(string Name, string Description)
{
    /// <summary>Bounds of a number; null for text.</summary>
    public (int Least, int Most)? Range { get; init; }

    /// <summary>The only values; empty: any.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];
}

/// <summary>Metadata of a route: every parameter that its query takes. Others are refused.</summary>
internal sealed record QueryParameters(IReadOnlyList<QueryParameter> All);

internal static class QueryParameterRoutes
{
    public static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, params IEnumerable<QueryParameter> parameters) => route.WithMetadata(new QueryParameters([.. parameters]));
}
