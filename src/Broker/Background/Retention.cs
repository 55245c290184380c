using Broker.Settings;
using Broker.Storage;

namespace Broker.Background;

/// <summary>Removes finished runs after the retention time of their status.</summary>
internal sealed class Retention(IRetention runs, BrokerSettings settings, TimeProvider clock, ILogger<Retention> log)
    : PeriodicService(TimeSpan.FromMinutes(1), clock, log)
{
    // Up to 2,000 runs in each; the rest waits for the next turn, so that a backlog is worked off in the gaps.
    private const int Rounds = 25;

    private readonly RetentionTimes keep = new(
        settings.RetentionSucceeded ?? settings.Retention, settings.RetentionFailed ?? settings.Retention, settings.RetentionCancelled ?? settings.Retention);

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var removed = 0;
        for (var i = 0; i < Rounds; i++)
        {
            var round = await runs.RemoveEndedAsync(keep, ct);
            removed += round.Removed;
            if (round.Finished) break;
        }

        return removed;
    }
}
