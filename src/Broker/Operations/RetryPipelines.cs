using System.Net;
using Broker.Storage.Contracts;
using Broker.Webhooks;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.Retry;

namespace Broker.Operations;

/// <summary>Retries of the broker's own calls, as pipelines by name. Those to its database never give up: a broker waits for it as long as it runs.</summary>
internal static class RetryPipelines
{
    /// <summary>The start steps, while the database is out of reach.</summary>
    public const string DatabaseStart = "database-start";

    /// <summary>The reads of the start, repeated after a failover or a restore.</summary>
    public const string EpochFollow = "epoch-follow";

    /// <summary>One attempt of a webhook's delivery.</summary>
    public const string WebhookCall = "webhook-call";

    /// <summary>Longest attempt of a webhook's delivery, with its repetition.</summary>
    public static readonly TimeSpan WebhookTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static IServiceCollection AddRetryPipelines(this IServiceCollection services)
    {
        services.AddResiliencePipeline(DatabaseStart, (pipeline, context) =>
        {
            var faults = context.ServiceProvider.GetRequiredService<IDatabaseFaults>();
            pipeline.AddEndlessRetry(context.ServiceProvider, faults.IsAway);
        });
        services.AddResiliencePipeline(EpochFollow, (pipeline, context) => pipeline.AddEndlessRetry(context.ServiceProvider, _ => true));
        services.AddResiliencePipeline<string, HttpStatusCode>(WebhookCall, (pipeline, context) => pipeline.AddCall(context.ServiceProvider));
        return services;
    }

    // A connection that breaks is tried once more at once; answers and everything else are left to the queue of deliveries.
    private static void AddCall(this ResiliencePipelineBuilder<HttpStatusCode> pipeline, IServiceProvider services)
    {
        pipeline.TimeProvider = services.GetRequiredService<TimeProvider>();
        pipeline.ConfigureTelemetry(NullLoggerFactory.Instance);
        pipeline.AddTimeout(WebhookTimeout).AddRetry(new RetryStrategyOptions<HttpStatusCode>
        {
            ShouldHandle = new PredicateBuilder<HttpStatusCode>().Handle<HttpRequestException>(
                fault => fault is { HttpRequestError: HttpRequestError.ResponseEnded or HttpRequestError.ConnectionError, InnerException: not AddressRefusedException }),
            MaxRetryAttempts = 1,
            Delay = TimeSpan.FromMilliseconds(200),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        });
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
