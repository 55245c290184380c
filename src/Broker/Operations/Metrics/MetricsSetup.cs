using System.Text;
using Broker.Auth;
using Broker.Settings;

namespace Broker.Operations.Metrics;

/// <summary><c>/metrics</c>, and what fills it.</summary>
internal static class MetricsSetup
{
    public const string Path = "/metrics";

    // The figures that need no database are wanted most when it hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static IServiceCollection AddBrokerMetrics(this IServiceCollection services)
    {
        services.AddMetrics();
        services.AddSingleton<MetricStore>();
        services.AddSingleton<QueueGauge>();
        return services.AddHostedService(provider => provider.GetRequiredService<QueueGauge>());
    }

    public static void MapMetrics(this WebApplication app, BrokerSettings settings)
    {
        if (!settings.Metrics) return;

        // Created now, so that it counts from the first request on.
        var store = app.Services.GetRequiredService<MetricStore>();
        app.MapGet(Path, (HttpContext http, QueueGauge queues) => AnswerAsync(http, store, queues)).RequireScope(Scope.Read).WithName("Metrics").WithTags(Probes.Tag)
            .WithSummary("Figures for Prometheus, in its text format").Produces<string>(200, "text/plain");
    }

    private static async Task AnswerAsync(HttpContext http, MetricStore store, QueueGauge queues)
    {
        try
        {
            await queues.RefreshAsync(http.RequestAborted).WaitAsync(Patience, http.RequestAborted);
        }
        catch (Exception) when (!http.RequestAborted.IsCancellationRequested)
        {
            // The last known depths are shown; that the database is in trouble shows in the errors counted.
        }

        var text = Encoding.UTF8.GetBytes(store.Write());
        http.Response.ContentType = PrometheusText.ContentType;
        http.Response.ContentLength = text.Length;
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.Body.WriteAsync(text);
    }
}
