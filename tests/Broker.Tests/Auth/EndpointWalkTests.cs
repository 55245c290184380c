using System.Text.RegularExpressions;
using Broker.Auth;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>Walk over all routes: each is guarded, or named here.</summary>
public sealed partial class EndpointWalkTests(KeyedSqliteApp app) : IClassFixture<KeyedSqliteApp>
{
    private static readonly string[] Open = ["/agents/health", "/health", "/livez", "/readyz", "/ui/assets/{version}/{name}", "/ui/login", "/ui/login", "/ui/logout", "/workflow-file.schema.json"];

    private IReadOnlyList<RouteEndpoint> Routes => [.. app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    [Fact]
    public void Every_route_says_which_scope_it_needs_and_only_probes_the_file_schema_and_assets_need_none()
    {
        Assert.NotEmpty(Routes);
        Assert.Equal(Open, Routes.Where(IsOpen).Select(route => route.RoutePattern.RawText!).Order(StringComparer.Ordinal));
        Assert.Empty(Routes.Where(route => !IsOpen(route) && route.Metadata.GetMetadata<RequiredScope>() is not { AnyOf: not Scope.None }).Select(route => route.DisplayName));
    }

    /// <summary>A stream goes on for hours: one that did not end with its key would outlive it by as much.</summary>
    [Fact]
    public void Every_stream_ends_with_its_key()
    {
        var streams = Routes.Where(route => route.Metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>().Any(answer => answer.ContentTypes.Contains("text/event-stream"))).ToList();
        Assert.Equal(6, streams.Count);
        Assert.Empty(streams.Where(route => route.Metadata.GetMetadata<EndsWithItsKey>() is null).Select(route => route.DisplayName));
    }

    [Fact]
    public async Task No_route_answers_without_a_key()
    {
        var answered = new List<string>();
        foreach (var (method, path, _) in Requests())
        {
            var reply = await app.Client.CallAsync(null, method, path);

            // A page of the console leads to the sign-in, which the client follows.
            if (path.StartsWith("/ui/", StringComparison.Ordinal) ? !reply.Text.Contains("name=\"key\"", StringComparison.Ordinal) : reply.Status != 401) answered.Add($"{method} {path}: {reply.Status}");
        }

        Assert.Empty(answered);
    }

    [Fact]
    public async Task No_route_answers_to_a_key_without_its_scope()
    {
        var answered = new List<string>();
        foreach (var (method, path, scope) in Requests().Where(request => request.Scope is not Scope.Any))
        {
            var reply = await app.Client.CallAsync(TestKeys.Without(scope), method, path);
            if (reply.Status != 403) answered.Add($"{method} {path}: {reply.Status}");
        }

        Assert.Empty(answered);
    }

    /// <summary>Requests without an endpoint: pages, paths that no route matches, methods that no route takes.</summary>
    [Theory]
    [InlineData("GET", "/docs")]
    [InlineData("GET", "/docs/")]
    [InlineData("GET", "/docs/swagger-ui.css")]
    [InlineData("GET", "/nothing")]
    [InlineData("DELETE", "/api/jobs/claim")]
    [InlineData("GET", "//api/workflows")]
    [InlineData("GET", "/api/workflows/a%2Fb/status")]
    public async Task Nothing_else_answers_without_a_key(string method, string path) =>
        Assert.Equal(401, (await app.Client.CallAsync(null, method, path.StartsWith("//", StringComparison.Ordinal) ? $"{app.Address}{path[1..]}" : path)).Status);

    private static bool IsOpen(RouteEndpoint route) => route.Metadata.GetMetadata<IAllowAnonymous>() is not null;

    // Routes for any method lie behind those for one: a method that none of these has leads to them.
    private IEnumerable<(string Method, string Path, Scope Scope)> Requests() =>
        from route in Routes
        where !IsOpen(route)
        let methods = route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } named ? named : ["DELETE"]
        from method in methods
        select (method, PathOf(route), route.Metadata.GetRequiredMetadata<RequiredScope>().AnyOf);

    private static string PathOf(RouteEndpoint route) =>
        "/" + Parameter().Replace(Constrained().Replace(route.RoutePattern.RawText!, "$1"), "x").TrimStart('/');

    // The first of several: the one that the pattern of the document's route allows.
    [GeneratedRegex(@"\{[a-zA-Z]+:regex\(\^\(?([a-z]+)(?:\|[a-z]+)*\)?\$\)\}")]
    private static partial Regex Constrained();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}
