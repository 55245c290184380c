using Polly;
using Polly.Retry;

namespace Broker.Worker;

internal static class Retrying
{
    /// <summary>Tries again without end, with growing pauses and jitter; the caller's token or its own work list ends it.</summary>
    public static ResiliencePipeline Forever(WorkerTimings timings, Action<Exception> onOutage, PredicateBuilder<object>? on = null) =>
        new ResiliencePipelineBuilder()
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = on ?? new PredicateBuilder().Handle<BrokerUnavailableException>(),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = timings.RetryFirst,
                MaxDelay = timings.RetryMost,
                OnRetry = retry =>
                {
                    if (retry is { AttemptNumber: 0, Outcome.Exception: { } failure })
                        onOutage(failure);
                    return default;
                },
            })
            .Build();
}
