using System.Text.RegularExpressions;
using Broker.Tests.App;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Host;

public sealed class RouteTableTests(SqliteApp host) : IClassFixture<SqliteApp>
{
    [Fact]
    public void No_two_routes_have_the_same_method_and_template()
    {
        var routes = host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(endpoint => Methods(endpoint).Select(method => $"{endpoint.Order} {method} {Blanked(endpoint.RoutePattern)}"))
            .ToList();

        Assert.NotEmpty(routes);
        Assert.Empty(routes.GroupBy(route => route, StringComparer.OrdinalIgnoreCase).Where(same => same.Count() > 1).Select(same => same.Key));
    }

    private static IEnumerable<string> Methods(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods
        ? methods
        : ["any"];

    // The constraint of a parameter distinguishes routes, its name does not.
    private static string Blanked(RoutePattern pattern) => Regex.Replace(pattern.RawText ?? "", @"\{(\**)[A-Za-z0-9_]+", "{$1");
}
