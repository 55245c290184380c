using Broker.Api;
using Broker.Operations;
using Broker.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Broker.Tests.Host;

/// <summary>Host with the middleware of every request, on a real port, with routes of the test's own.</summary>
internal sealed class MiniHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private MiniHost(WebApplication app, RecordedLogs logs)
    {
        this.app = app;
        Logs = logs;
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Client = new HttpClient { BaseAddress = new Uri(address) };
    }

    public HttpClient Client { get; }

    public RecordedLogs Logs { get; }

    public static async Task<MiniHost> StartAsync(
        Action<IEndpointRouteBuilder> map, BrokerSettings? settings = null, LogLevel level = LogLevel.Information, params IReadiness[] parts)
    {
        var used = (settings ?? new BrokerSettings()) with { Port = 0 };
        var logs = new RecordedLogs();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(level);
        builder.ListenAsSet(used);
        builder.Services.AddSingleton(used);
        builder.Services.AddDialects();
        foreach (var part in parts) builder.Services.AddSingleton(part);
        var app = builder.Build();
        app.UseOperations();
        app.MapProbes();
        map(app);
        await app.StartAsync();
        return new(app, logs);
    }

    public Task StopAsync() => app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.DisposeAsync();
    }
}
