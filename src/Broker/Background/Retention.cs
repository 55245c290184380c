using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>
/// Removes finished runs after the retention time of their status. It goes on while it finds any: a fixed number of rounds a minute fell
/// behind brokers that finished more runs than that.
/// </summary>
internal sealed class Retention(IRetention runs, BrokerSettings settings, TimeProvider clock, ILogger<Retention> log)
    : PeriodicService(Interval, clock, log)
{
    /// <summary>Runs that are old and stay, passed by in one turn: such as failed ones that are kept for longer.</summary>
    internal const int MostPassed = 50_000;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly TimeProvider clock = clock;
    private readonly RetentionTimes keep = new(
        settings.RetentionSucceeded ?? settings.Retention, settings.RetentionFailed ?? settings.Retention, settings.RetentionCancelled ?? settings.Retention);

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var (removed, passed) = (0, 0);
        var began = clock.GetTimestamp();
        while (true)
        {
            var round = await runs.RemoveEndedAsync(keep, ct);
            removed += round.Removed;
            passed += round.Looked - round.Removed;

            // After an interval the next turn is due, and follows at once: no turn is without an end, and its count is seen.
            if (round.Finished || passed >= MostPassed || clock.GetElapsedTime(began) >= Interval) return removed;
            ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
