using Broker.Settings;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Broker.Embedding;

/// <summary>The two calls by which an application hosts the broker in its own process; the program <c>broker</c> is made of them too.</summary>
public static class BrokerHosting
{
    /// <summary>
    /// Registers the broker with the settings of the builder's configuration: the section <c>Broker</c> and the short variables, such as
    /// <c>DATABASE_URL</c>. <c>Broker:Port</c> and <c>Broker:Host</c> are refused, since the application listens.
    /// </summary>
    /// <param name="builder">Builder of the application.</param>
    /// <returns>Further registrations.</returns>
    /// <exception cref="InvalidOperationException">A setting is wrong; the message says what to write.</exception>
    public static BrokerBuilder AddBroker(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Services.AddBroker(builder.Configuration);
    }

    /// <summary>The same with a configuration of the caller's choice.</summary>
    /// <param name="services">Services of the application.</param>
    /// <param name="configuration">Has the settings; it is read once.</param>
    /// <returns>Further registrations.</returns>
    /// <exception cref="InvalidOperationException">A setting is wrong; the message says what to write.</exception>
    public static BrokerBuilder AddBroker(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        var setting = BrokerSetting.Read(configuration, isEmbedded: true);
        return setting.Problem is { } problem ? throw new InvalidOperationException(problem) : services.AddBroker(setting);
    }

    /// <summary>
    /// Serves the broker's routes: requests below <paramref name="pathBase"/>, or, without one, all requests that no route of the application
    /// fits. Middleware that was added before sees them; the application's own routes see nothing of the broker.
    /// </summary>
    /// <param name="app">The application, with the services of <see cref="AddBroker(IHostApplicationBuilder)"/>.</param>
    /// <param name="pathBase">Path that stands before every path of the broker, such as <c>/jobs</c>; empty: none.</param>
    /// <returns>The application.</returns>
    /// <exception cref="InvalidOperationException">The services are missing.</exception>
    public static WebApplication MapBroker(this WebApplication app, string pathBase = "")
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(pathBase);
        var below = new PathString(pathBase.TrimEnd('/'));
        var settings = app.Services.GetService<BrokerSettings>() ?? throw new InvalidOperationException("The broker's services are missing: call AddBroker before the application is built.");
        var broker = BrokerPipeline.Create(app.Services, settings, below);
        app.Use(next =>
        {
            var serve = broker.Build();
            return below.HasValue
                ? http => http.Request.Path.StartsWithSegments(below, StringComparison.OrdinalIgnoreCase, out var matched, out var rest) ? BelowAsync(http, serve, matched, rest) : next(http)
                : http => http.GetEndpoint() is null ? serve(http) : next(http);
        });
        return app;
    }

    /// <summary>Registers the broker with settings that were read already.</summary>
    internal static BrokerBuilder AddBroker(this IServiceCollection services, BrokerSetting setting)
    {
        services.TryAddSingleton(TimeProvider.System);
        BrokerPipeline.AddServices(services, setting);
        return new(services);
    }

    // A catch-all route of the application may fit these paths too: the broker's routes go before it.
    private static async Task BelowAsync(HttpContext http, RequestDelegate serve, PathString matched, PathString rest)
    {
        var (path, pathBase) = (http.Request.Path, http.Request.PathBase);
        http.SetEndpoint(null);
        http.Request.RouteValues.Clear();
        http.Request.PathBase = pathBase.Add(matched);
        http.Request.Path = rest.HasValue ? rest : new PathString("/");
        try
        {
            await serve(http);
        }
        finally
        {
            http.Request.Path = path;
            http.Request.PathBase = pathBase;
        }
    }
}

/// <summary>Registrations beside the broker's own.</summary>
public sealed class BrokerBuilder
{
    internal BrokerBuilder(IServiceCollection services) => Services = services;

    /// <summary>Services of the application.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Registers decisions about requests of the instances dialect. The last registration counts.</summary>
    /// <typeparam name="THooks">Made once, from the application's services.</typeparam>
    /// <returns>The same builder.</returns>
    public BrokerBuilder AddInstanceHooks<THooks>()
        where THooks : class, IInstanceHooks
    {
        Services.AddSingleton<IInstanceHooks, THooks>();
        return this;
    }
}
