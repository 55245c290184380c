namespace Broker.Auth;

/// <summary>On a route: a key needs any of these scopes. A route without it takes no request at all while keys are required.</summary>
internal sealed record RequiredScope(Scope AnyOf);

/// <summary>
/// On a route: keys that are limited to some workflows may use it, because whatever it does goes by workflow name through the engine,
/// which knows only those workflows for them. Any other route refuses such keys.
/// </summary>
internal sealed class OpenToLimitedKeys;

/// <summary>On a route: a stream, or a wait for work, which is cut off when its key is revoked, or, without a key, when the first one is made.</summary>
internal sealed class EndsWithItsKey;

/// <summary>
/// On a GET that takes a lease or answers with credentials: while no key is required it is refused to web pages as if it changed
/// something.
/// </summary>
internal sealed class RefusedToPages
{
    public static RefusedToPages Mark { get; } = new();
}

/// <summary>What routes say about keys.</summary>
internal static class RouteScopes
{
    public static TBuilder RequireScope<TBuilder>(this TBuilder route, Scope anyOf)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new RequiredScope(anyOf));

    public static TBuilder ByWorkflow<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new OpenToLimitedKeys());

    public static TBuilder EndsWithKey<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new EndsWithItsKey());
}
