using Broker.Storage.Contracts;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.Retry;

namespace Broker.Operations;

/// <summary>Retries of the broker's own calls, as pipelines by name. None gives up: a broker waits for its database as long as it runs.</summary>
internal static class RetryPipelines
{
    /// <summary>The start steps, while the database is out of reach.</summary>
    public const string DatabaseStart = "database-start";

    /// <summary>The reads of the start, repeated after a failover or a restore.</summary>
    public const string EpochFollow = "epoch-follow";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static IServiceCollection AddRetryPipelines(this IServiceCollection services)
    {
        services.AddResiliencePipeline(DatabaseStart, (pipeline, context) =>
        {
            var faults = context.ServiceProvider.GetRequiredService<IDatabaseFaults>();
            pipeline.AddEndlessRetry(context.ServiceProvider, faults.IsAway);
        });
        services.AddResiliencePipeline(EpochFollow, (pipeline, context) => pipeline.AddEndlessRetry(context.ServiceProvider, _ => true));
        return services;
    }

    private static void AddEndlessRetry(this ResiliencePipelineBuilder pipeline, IServiceProvider services, Func<Exception, bool> isRetried)
    {
        // Each service logs its own failed attempts, in its own words.
        pipeline.ConfigureTelemetry(NullLoggerFactory.Instance);
        pipeline.TimeProvider = services.GetRequiredService<TimeProvider>();
        pipeline.AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = attempt => new(
                attempt.Outcome.Exception is { } fault && !attempt.Context.CancellationToken.IsCancellationRequested && isRetried(fault)),
            MaxRetryAttempts = int.MaxValue,
            Delay = Pause,
        });
    }
}
