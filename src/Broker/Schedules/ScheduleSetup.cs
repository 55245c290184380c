using Broker.Background;
using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Schedules;

/// <summary>Registers the services of schedules.</summary>
internal static class ScheduleSetup
{
    public static IServiceCollection AddSchedules(this IServiceCollection services, BrokerSettings settings)
    {
        services.AddSingleton<ScheduleStarter>();
        services.AddSingleton<ScheduleRunner>();
        if (settings.ApiOnly) return services;

        services.AddHostedService<ScheduleService>();
        services.AddHostedService<FiringPruning>();
        return services;
    }
}

/// <summary>Starts the runs of schedules: once a second, and at once after a change of one.</summary>
internal sealed class ScheduleService(ScheduleRunner runner, IChanges changes, TimeProvider clock, ILogger<ScheduleService> log)
    : SignalledService(Topics.Schedules, TimeSpan.FromSeconds(1), changes, clock, log)
{
    internal override Task<int> RunOnceAsync(CancellationToken ct) => DrainAsync(ScheduleRunner.Batch, (_, stop) => runner.RunOnceAsync(stop), ct);
}

/// <summary>Removes the history of schedules after 30 days.</summary>
internal sealed class FiringPruning(IScheduleStore schedules, TimeProvider clock, ILogger<FiringPruning> log) : PruningService(clock, log)
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    protected override Task<int> PruneAsync(int most, CancellationToken ct) => schedules.PruneAsync(Clock.GetUtcNow() - Kept, most, ct);
}
