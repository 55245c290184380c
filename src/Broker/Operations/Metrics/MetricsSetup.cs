using System.Diagnostics.Metrics;
using Broker.Auth;
using Broker.Settings;
using Broker.Storage;
using OpenTelemetry.Metrics;

namespace Broker.Operations.Metrics;

/// <summary><c>/metrics</c>, and its instruments.</summary>
internal static class MetricsSetup
{
    public const string Path = "/metrics";

    // The figures that need no database are wanted most when it hangs.
    private static readonly TimeSpan RefreshTimeout = TimeSpan.FromSeconds(2);

    public static IServiceCollection AddBrokerMetrics(this IServiceCollection services)
    {
        services.AddMetrics();
        services.AddSingleton(provider => Listen(provider.GetRequiredService<IMeterFactory>()));
        services.AddSingleton<QueueGauge>();
        return services.AddHostedService(provider => provider.GetRequiredService<QueueGauge>());
    }

    public static void MapMetrics(this IEndpointRouteBuilder routes, BrokerSettings settings)
    {
        if (!settings.Metrics) return;

        // Created now, so that it records from the first request on.
        var meters = routes.ServiceProvider.GetRequiredService<MeterProvider>();
        StorageRegistration.ShowCounters();
        var branch = routes.CreateApplicationBuilder();
        branch.UseOpenTelemetryPrometheusScrapingEndpoint(meters, _ => true, path: null, configureBranchedPipeline: null, optionsName: null);
        var scrape = branch.Build();
        routes.MapGet(Path, (HttpContext http, QueueGauge queues) => AnswerAsync(http, scrape, queues)).RequireScope(Scope.Read).WithName("Metrics").WithTags(Probes.Tag)
            .WithSummary("Figures for Prometheus, in its text format").Produces<string>(200, "text/plain");
    }

    private static MeterProvider Listen(IMeterFactory own) => OpenTelemetry.Sdk.CreateMeterProviderBuilder()
        .AddMeter([.. MetricCatalogue.Meters])
        .AddView(instrument => MetricCatalogue.ViewOf(instrument, own))
        .AddPrometheusExporter(prometheus =>
        {
            prometheus.ScopeInfoEnabled = false;
            prometheus.TargetInfoEnabled = false;
            prometheus.ScrapeResponseCacheDurationMilliseconds = 0;
        })
        .Build();

    private static async Task AnswerAsync(HttpContext http, RequestDelegate scrape, QueueGauge queues)
    {
        try
        {
            await queues.RefreshAsync(http.RequestAborted).WaitAsync(RefreshTimeout, http.RequestAborted);
        }
        catch (Exception) when (!http.RequestAborted.IsCancellationRequested)
        {
            // The last known depths are shown; that the database is in trouble shows in the errors counted.
        }

        // One format for every scraper: without the header the exporter writes text 0.0.4.
        http.Request.Headers.Remove("Accept");
        http.Response.Headers.CacheControl = "no-store";
        await scrape(http);
    }
}
