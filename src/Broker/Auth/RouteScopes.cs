namespace Broker.Auth;

/// <summary>On a route: a key needs any of these scopes. A route without it takes no request at all while keys are required.</summary>
internal sealed record RequiredScope(Scope AnyOf);

/// <summary>
/// Mark of a route that keys limited to workflows may use: its calls name a workflow, and the engine checks the name against the key. Other
/// routes refuse such keys.
/// </summary>
internal sealed class OpenToLimitedKeys;

/// <summary>Mark of a stream or a wait for work. It ends when its key is revoked, or, without a key, when the first key is made.</summary>
internal sealed class EndsWithItsKey;

/// <summary>
/// Mark of a GET that takes a lease or answers with credentials: while no key is required, web pages are refused it like a change.
/// </summary>
internal sealed class RefusedToPages
{
    public static RefusedToPages Mark { get; } = new();
}

/// <summary>Metadata of routes about keys.</summary>
internal static class RouteScopes
{
    public static TBuilder RequireScope<TBuilder>(this TBuilder route, Scope anyOf)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new RequiredScope(anyOf));

    public static TBuilder ByWorkflow<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new OpenToLimitedKeys());

    public static TBuilder EndsWithKey<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new EndsWithItsKey());
}
