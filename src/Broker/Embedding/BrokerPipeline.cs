using Broker.Api;
using Broker.Api.InstancesDialect;
using Broker.Auth;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operations;
using Broker.Operations.Metrics;
using Broker.Operators.Bulk;
using Broker.Schedules;
using Broker.Settings;
using Broker.Startup;
using Broker.Webhooks;
using Broker.WorkflowFiles;

namespace Broker.Embedding;

/// <summary>The broker's services, and its middleware with its own routing, apart from those of the application around it.</summary>
internal static class BrokerPipeline
{
    public static void AddServices(IServiceCollection services, BrokerSetting setting)
    {
        var settings = setting.Settings;
        services.AddSingleton(settings);
        services.AddRetryPipelines();
        services.AddStartGate();
        services.AddBrokerStorage(settings);
        services.AddAuth(setting.Auth, settings);
        services.AddRequestRates(settings);
        services.AddSingleton<StreamSlots>();
        services.AddSingleton<BodyBudget>();
        services.AddDialects();
        services.AddBulk(settings);
        services.AddWebhooks(settings);
        services.AddSchedules(settings);
        services.AddApiDocument();
        services.AddBrokerMetrics();
        services.AddSingleton<WorkflowFileSync>();
        services.AddSingleton<WorkflowFileRegistration>();
        services.AddSingleton<IStartStep>(provider => provider.GetRequiredService<WorkflowFileRegistration>());
        services.AddSingleton<Banner>();
        services.AddHostedService<WorkflowFileWatcher>();
    }

    public static IApplicationBuilder Create(IServiceProvider services, BrokerSettings settings, PathString pathBase)
    {
        // A builder of its own has routing of its own: neither side's routes meet the other's middleware.
        var app = new ApplicationBuilder(services);
        app.UseOperations();
        app.UseHeadRequests();
        app.UseInstancesTrailingSlash(settings);
        app.UseRawPath();
        app.RefuseSomeHeads();
        app.UseStartGate();
        app.UseKeys();
        app.UseRequestRates(settings);
        app.RefuseContentCodings();
        app.UseDocumentFiles(pathBase);
        app.UseEndpoints(endpoints =>
        {
            // The group keeps these routes out of the application's API documents.
            var routes = endpoints.MapGroup("").WithGroupName(ApiDocument.Name);
            routes.MapHomePage();
            routes.MapConsole();
            routes.MapWorkflowFileSchema();
            routes.MapDialects(settings);
            routes.MapProbes();
            routes.MapMetrics(settings);
            routes.MapApiDocument(pathBase);
        });
        return app;
    }
}
