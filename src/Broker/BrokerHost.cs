using Broker.Embedding;
using Broker.Operations;
using Broker.Operations.Tracing;
using Broker.Settings;

namespace Broker;

/// <summary>The program around the broker: its logs, its port and its traces. <c>Program</c> runs it and tests start it on a port of their own.</summary>
internal static class BrokerHost
{
    /// <summary>Null with a message when the settings are wrong.</summary>
    public static (WebApplication? App, BrokerSettings Settings, string? Problem) Create(string[] args, Action<WebApplicationBuilder>? adjust = null) =>
        Create(Configure(args), adjust);

    public static (WebApplication? App, BrokerSettings Settings, string? Problem) Create(HostSetting setting, Action<WebApplicationBuilder>? adjust = null)
    {
        var (builder, broker) = setting;
        var settings = broker.Settings;
        if (broker.Problem is not null) return (null, settings, broker.Problem);

        var telemetry = Telemetry.Start(builder.Configuration, out var unusable);
        if (unusable is not null) return (null, settings, unusable);
        builder.AddStructuredLogs();
        builder.ListenAsSet(settings);
        builder.Services.AddBroker(broker);
        adjust?.Invoke(builder);

        var app = builder.Build();
        if (telemetry is not null) app.Lifetime.ApplicationStopped.Register(telemetry.Dispose);
        app.MapBroker();
        return (app, settings, null);
    }

    /// <summary>The settings, for whatever is to be done with them; with a message when they are wrong.</summary>
    public static HostSetting Configure(string[] args)
    {
        // The program's own folder, wherever it is started from: appsettings.json lies there.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        return new(builder, BrokerSetting.Read(builder.Configuration, isEmbedded: false));
    }
}

/// <summary>Configuration of the program.</summary>
/// <param name="Builder">Of the host that would have these settings.</param>
/// <param name="Broker">As read.</param>
internal readonly record struct HostSetting(WebApplicationBuilder Builder, BrokerSetting Broker)
{
    public BrokerSettings Settings => Broker.Settings;
}
