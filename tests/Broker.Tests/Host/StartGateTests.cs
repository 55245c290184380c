using System.Net;
using Broker.Auth;
using Broker.Http;
using Broker.Startup;
using Broker.Testing;
using Broker.Tests.Auth;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Broker.Tests.Host;

/// <summary>A broker that starts before its PostgreSQL: the port is open, and nothing is served before the keys are read.</summary>
public sealed class StartGateTests(PostgresCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_route_but_livez_is_503_in_its_dialect_while_PostgreSQL_is_away()
    {
        await using var app = await StartAsync($"Host=127.0.0.1;Port={LoopbackPort.Choose()};Database=none");
        using var client = ClientOf(app);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/livez", UriKind.Relative), Ct)).StatusCode);

        foreach (var (method, path, dialect) in RoutesOf(app).Where(route => route.Path != "/livez"))
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
            using var answer = await client.SendAsync(request, Ct);
            Assert.True(answer.StatusCode is HttpStatusCode.ServiceUnavailable, $"{method} {path}: {answer.StatusCode}");
            if (path is "/readyz" or "/health" or "/agents/health") continue;
            Assert.Equal("2", answer.Headers.RetryAfter?.ToString());
            if (dialect is null) continue;
            Assert.Contains("waits for its database", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }

        Assert.Contains("waits for its database", await (await client.GetAsync(new Uri("/readyz", UriKind.Relative), Ct)).Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal("""{"status":"unhealthy"}""", await (await client.GetAsync(new Uri("/health", UriKind.Relative), Ct)).Content.ReadAsStringAsync(Ct));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync(new Uri("/docs", UriKind.Relative), Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync(new Uri("/no/such/path", UriKind.Relative), Ct)).StatusCode);
    }

    [Fact]
    public async Task It_serves_as_soon_as_the_database_answers_and_keys_are_asked_for_from_the_first_request_on()
    {
        PostgresCluster.Require();
        var database = await cluster.CreateEmptyDatabaseAsync();
        await using var door = new ClosedDoor(database);
        await using var app = await StartAsync(door.ConnectionString, TestKeys.Settings);
        using var client = ClientOf(app);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync(new Uri("/handlers", UriKind.Relative), Ct)).StatusCode);

        door.Open();
        await app.Services.GetRequiredService<StartGate>().Opened.WaitAsync(TimeSpan.FromSeconds(60), Ct);

        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync(new Uri("/handlers", UriKind.Relative), Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/readyz", UriKind.Relative), Ct)).StatusCode);
        await app.StopAsync(Ct);
        await cluster.DropAsync(database);
    }

    [Fact]
    public async Task Without_keys_beyond_loopback_the_broker_ends_once_it_has_read_the_keys()
    {
        PostgresCluster.Require();
        var database = await cluster.CreateEmptyDatabaseAsync();
        await using var door = new ClosedDoor(database);
        await using var app = await StartAsync(door.ConnectionString, "--HOST=0.0.0.0");
        var ended = new TaskCompletionSource();
        app.Lifetime.ApplicationStopping.Register(ended.SetResult);

        door.Open();
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(60), Ct);

        Assert.IsType<StartRefusedException>(app.Services.GetRequiredService<StartGate>().Refusal);
        await app.StopAsync(Ct);
        await cluster.DropAsync(database);
    }

    [Fact]
    public async Task A_wrong_password_or_role_ends_the_start()
    {
        PostgresCluster.Require();
        var database = new NpgsqlConnectionStringBuilder(await cluster.CreateEmptyDatabaseAsync());
        var wrong = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = "no_such_role" };
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(wrong.ConnectionString));
        Assert.Contains("The database cannot be used: ", StartFaults.MessageOf(fault), StringComparison.Ordinal);
        await cluster.DropAsync(database.ConnectionString);
    }

    private static async Task<WebApplication> StartAsync(string connectionString, params string[] settings)
    {
        var (app, _, problem) = BrokerHost.Create(
            [$"--DATABASE_URL={connectionString}", "--PORT=0", "--WORKFLOWS_DIR=/nonexistent", "--Serilog:MinimumLevel:Default=Fatal", .. settings]);
        Assert.Null(problem);
        await app!.StartAsync(Ct);
        return app;
    }

    private static HttpClient ClientOf(WebApplication app)
    {
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{new Uri(address).Port}") };
    }

    // Each route once, with words where its parameters are.
    private static IEnumerable<(string Method, string Path, DialectErrorFormat? Dialect)> RoutesOf(WebApplication app) =>
        from endpoint in app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let methods = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        let path = $"/{string.Join('/', endpoint.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(WordOf))))}"
        where !path.Contains("openapi", StringComparison.Ordinal)
        select (methods[0], path, endpoint.Metadata.GetMetadata<DialectErrorFormat>());

    private static string WordOf(Microsoft.AspNetCore.Routing.Patterns.RoutePatternPart part) =>
        part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content
        : part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternSeparatorPart separator ? separator.Content
        : "x";
}
