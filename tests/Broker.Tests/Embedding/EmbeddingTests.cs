using System.Net;
using Broker.Embedding;
using Broker.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Embedding;

/// <summary>An application that hosts the broker at its root: which routes and middleware meet which requests.</summary>
public sealed class EmbeddingTests : IDisposable
{
    private readonly SqliteFile file = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => file.Dispose();

    [Fact]
    public async Task The_applications_routes_go_first_and_see_nothing_of_the_broker()
    {
        await using var app = Build(app => app.MapGet("/health", (HttpContext http) => http.Response.Headers.ContainsKey("X-Request-Id") ? "the broker's" : "the application's"));
        using var client = await StartAsync(app);

        Assert.Equal("the application's", await client.GetStringAsync("health", Ct));
        using var own = await client.GetAsync("livez", Ct);
        Assert.Equal((HttpStatusCode.OK, true), (own.StatusCode, own.Headers.Contains("X-Request-Id")));
        using var nothing = await client.GetAsync("none", Ct);
        Assert.Contains("No route has this path", await nothing.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    // A catch-all would hide the broker otherwise.
    [Fact]
    public async Task A_path_base_goes_before_a_catch_all_route_of_the_application()
    {
        await using var app = Build(app => app.MapFallback(() => "the application's"), "/b");
        using var client = await StartAsync(app);

        Assert.Equal("the application's", await client.GetStringAsync("livez", Ct));
        Assert.Contains("\"status\"", await client.GetStringAsync("b/livez", Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Middleware_before_the_broker_sees_its_requests()
    {
        await using var app = Build(app => app.Use((http, next) =>
        {
            if (http.Request.Headers.ContainsKey("X-Staff")) return next(http);
            http.Response.StatusCode = StatusCodes.Status418ImATeapot;
            return Task.CompletedTask;
        }));
        using var client = await StartAsync(app);

        using var stranger = await client.GetAsync("livez", Ct);
        Assert.Equal(418, (int)stranger.StatusCode);
        client.DefaultRequestHeaders.Add("X-Staff", "yes");
        using var staff = await client.GetAsync("livez", Ct);
        Assert.Equal(HttpStatusCode.OK, staff.StatusCode);
    }

    [Fact]
    public void Wrong_settings_are_refused_with_what_to_write()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Broker:Lanes", "many")]).Build();
        var refused = Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddBroker(configuration));
        Assert.Contains("Broker:Lanes: 'many' is not allowed; write a whole number from 1 to 16.", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Routes_without_services_are_refused()
    {
        var app = WebApplication.CreateBuilder().Build();
        Assert.Contains("AddBroker", Assert.Throws<InvalidOperationException>(() => app.MapBroker()).Message, StringComparison.Ordinal);
    }

    private WebApplication Build(Action<WebApplication> map, string pathBase = "")
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration["Broker:DatabaseUrl"] = $"sqlite:{file.Path}";
        builder.Configuration["Broker:WorkflowsDir"] = "/nonexistent";
        builder.Logging.ClearProviders();
        builder.AddBroker();
        var app = builder.Build();
        map(app);
        app.MapBroker(pathBase);
        return app;
    }

    private static async Task<HttpClient> StartAsync(WebApplication app)
    {
        await app.StartAsync(Ct);
        return new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }
}
