using Broker.Api;
using Broker.Api.InstancesDialect;
using Broker.Auth;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operations;
using Broker.Operations.Metrics;
using Broker.Operations.Tracing;
using Broker.Operators.Bulk;
using Broker.Settings;
using Broker.Startup;
using Broker.WorkflowFiles;

namespace Broker;

/// <summary>The whole service, put together: what <c>Program</c> runs and what tests start on a port of their own.</summary>
internal static class BrokerHost
{
    /// <summary>Null with a message when the settings are wrong.</summary>
    public static (WebApplication? App, BrokerSettings Settings, string? Problem) Create(string[] args, Action<WebApplicationBuilder>? adjust = null) =>
        Create(Configure(args), adjust);

    public static (WebApplication? App, BrokerSettings Settings, string? Problem) Create(HostSetting setting, Action<WebApplicationBuilder>? adjust = null)
    {
        var (builder, settings, auth, problem) = setting;
        if (problem is not null) return (null, settings, problem);

        var telemetry = Telemetry.Start(builder.Configuration, out var unusable);
        if (unusable is not null) return (null, settings, unusable);
        builder.AddStructuredLogs();
        builder.ListenAsSet(settings);
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddRetryPipelines();
        builder.Services.AddStartGate();
        builder.Services.AddBrokerStorage(settings);
        builder.Services.AddAuth(auth, settings);
        builder.Services.AddRequestRates(settings);
        builder.Services.AddSingleton<StreamSlots>();
        builder.Services.AddSingleton<BodyBudget>();
        builder.Services.AddDialects();
        builder.Services.AddBulk(settings);
        builder.Services.AddApiDocument();
        builder.Services.AddBrokerMetrics();
        builder.Services.AddSingleton<WorkflowFileSync>();
        builder.Services.AddSingleton<WorkflowFileRegistration>();
        builder.Services.AddSingleton<IStartStep>(provider => provider.GetRequiredService<WorkflowFileRegistration>());
        builder.Services.AddSingleton<Banner>();
        builder.Services.AddHostedService<WorkflowFileWatcher>();
        adjust?.Invoke(builder);

        var app = builder.Build();
        if (telemetry is not null) app.Lifetime.ApplicationStopped.Register(telemetry.Dispose);
        app.UseOperations();
        app.UseHeadRequests();
        app.UseInstancesTrailingSlash(settings);
        app.UseRawPath();
        app.RefuseSomeHeads();
        app.UseStartGate();
        app.UseKeys();
        app.UseRequestRates(settings);
        app.RefuseContentCodings();
        app.MapHomePage();
        app.MapConsole();
        app.MapWorkflowFileSchema();
        app.MapDialects(settings);
        app.MapProbes();
        app.MapMetrics(settings);
        app.MapApiDocument();
        return (app, settings, null);
    }

    /// <summary>The settings, for whatever is to be done with them; with a message when they are wrong.</summary>
    public static HostSetting Configure(string[] args)
    {
        // The program's own folder, wherever it is started from: appsettings.json lies there.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var keys = new ReadKeys(builder.Configuration);
        var read = SettingsReader.Read(keys);
        var (auth, problems) = AuthSettingsReader.Read(keys);
        return new(builder, read.Settings, auth, (read with { Problems = [.. read.Problems, .. problems, .. keys.Problems()] }).Message) { Warnings = read.Warnings };
    }
}

/// <summary>Configuration of the program.</summary>
/// <param name="Builder">Of the host that would have these settings.</param>
/// <param name="Settings">As read.</param>
/// <param name="Auth">As read.</param>
/// <param name="Problem">Message on wrong values and what to write instead; null when all are right.</param>
internal readonly record struct HostSetting(WebApplicationBuilder Builder, BrokerSettings Settings, AuthSettings Auth, string? Problem)
{
    /// <summary>Values that count as something else.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
