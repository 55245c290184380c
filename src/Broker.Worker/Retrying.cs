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
                DelayGenerator = retry => new(Pause(timings, retry.AttemptNumber, Random.Shared.NextDouble())),
                OnRetry = retry =>
                {
                    if (retry is { AttemptNumber: 0, Outcome.Exception: { } failure }) onOutage(failure);
                    return default;
                },
            })
            .Build();

    // Polly's own jitter ends at MaxDelay: from there on all workers would retry at the same instants.
    internal static TimeSpan? Pause(WorkerTimings timings, int attempt, double chance)
    {
        var grown = timings.RetryFirst * Math.Pow(2, Math.Min(attempt, 30));
        return (grown < timings.RetryMost ? grown : timings.RetryMost) * ((1 + chance) / 2);
    }
}
