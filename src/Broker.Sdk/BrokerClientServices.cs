using System.Net.Http.Headers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly;

namespace Broker.Sdk;

/// <summary>Registers the client for dependency injection.</summary>
public static class BrokerClientServices
{
    /// <summary>Name of the HTTP client for single requests: with retries, a circuit breaker, and limits of 10 s an attempt and 30 s in all.</summary>
    public const string Requests = "Broker";

    /// <summary>Name of the HTTP client for streams and waits: without time limits, since the client itself opens them again.</summary>
    public const string Streams = "Broker.Streams";

    /// <summary>Registers <see cref="BrokerClient"/> and <see cref="OperatorClient"/>, on two clients of <see cref="IHttpClientFactory"/>.</summary>
    /// <param name="services">Services of the application.</param>
    /// <returns>The client for single requests, for further handlers.</returns>
    public static IHttpClientBuilder AddBrokerClient(this IServiceCollection services) => services.AddBrokerClient(_ => { });

    /// <summary>The same with options.</summary>
    /// <param name="services">Services of the application.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>The client for single requests, for further handlers.</returns>
    public static IHttpClientBuilder AddBrokerClient(this IServiceCollection services, Action<BrokerClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<BrokerClientOptions>().Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider =>
        {
            var factory = provider.GetRequiredService<IHttpClientFactory>();
            return new OperatorClient(isEndless => factory.CreateClient(isEndless ? Streams : Requests), provider.GetRequiredService<TimeProvider>());
        });
        services.TryAddSingleton(provider => new BrokerClient(provider.GetRequiredService<OperatorClient>(), provider.GetRequiredService<TimeProvider>()));
        AddClient(services, Streams);
        var requests = AddClient(services, Requests);
        requests.AddStandardResilienceHandler(resilience =>
            resilience.Retry.ShouldHandle = attempt => ValueTask.FromResult(
                Repeats.AreAllowed(attempt.Context.GetRequestMessage()) && HttpClientResiliencePredicates.IsTransient(attempt.Outcome)));
        return requests;
    }

    /// <summary>The same with the options of a configuration section, such as <c>Broker:Client</c>: <c>Server</c> and <c>ApiKey</c>.</summary>
    /// <param name="services">Services of the application.</param>
    /// <param name="section">Has the options.</param>
    /// <returns>The client for single requests, for further handlers.</returns>
    /// <exception cref="InvalidOperationException"><c>Server</c> is no address.</exception>
    public static IHttpClientBuilder AddBrokerClient(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddBrokerClient(options =>
        {
            if (section["Server"] is { Length: > 0 } server) options.Server = AddressOf(server);
            if (section["ApiKey"] is { Length: > 0 } key) options.ApiKey = key;
        });
    }

    private static Uri AddressOf(string text) => Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
        ? address
        : throw new InvalidOperationException($"Server: '{text}' is no address; write one such as http://localhost:3000.");

    // Redirects are not followed: they would carry the key elsewhere.
    private static IHttpClientBuilder AddClient(IServiceCollection services, string name) => services
        .AddHttpClient(name, (provider, http) =>
        {
            var options = provider.GetRequiredService<IOptions<BrokerClientOptions>>().Value;
            http.BaseAddress = options.Server.AbsoluteUri.EndsWith('/') ? options.Server : new Uri(options.Server.AbsoluteUri + "/");
            http.Timeout = Timeout.InfiniteTimeSpan;
            if (options.ApiKey is { } key) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        })
        .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) });
}
