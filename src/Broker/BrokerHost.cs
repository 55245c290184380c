using Broker.Api;
using Broker.Api.InstancesDialect;
using Broker.OpenApi;
using Broker.Operations;
using Broker.Settings;
using Broker.WorkflowFiles;

namespace Broker;

/// <summary>The whole service, put together: what <c>Program</c> runs and what tests start on a port of their own.</summary>
internal static class BrokerHost
{
    /// <summary>Null with a message when the settings are wrong.</summary>
    public static (WebApplication? App, BrokerSettings Settings, string? Problem) Create(string[] args, Action<WebApplicationBuilder>? adjust = null)
    {
        // The program's own folder, wherever it is started from: appsettings.json lies there.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var read = SettingsReader.Read(builder.Configuration);
        if (read.Message is { } wrong) return (null, read.Settings, wrong);

        var settings = read.Settings;
        builder.AddStructuredLogs();
        builder.ListenAsSet(settings);
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddBrokerStorage(settings);
        builder.Services.AddRequestRates(settings);
        builder.Services.AddSingleton<StreamSlots>();
        builder.Services.AddApiDocument();
        builder.Services.AddHostedService<WorkflowFileRegistration>();
        adjust?.Invoke(builder);

        var app = builder.Build();
        app.UseOperations();
        app.UseInstancesTrailingSlash(settings);
        app.UseRawPath();
        app.UseRequestRates(settings);
        app.MapDialects(settings);
        app.MapProbes();
        app.MapApiDocument();
        return (app, settings, null);
    }
}
