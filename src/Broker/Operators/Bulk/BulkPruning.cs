using Broker.Background;
using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Operators.Bulk;

/// <summary>Removes actions on many runs an hour after a trial that was not started, and a week after their end.</summary>
internal sealed class BulkPruning(IBulkStore store, TimeProvider clock, ILogger<BulkPruning> log) : PruningService(clock, log)
{
    private static readonly TimeSpan KeepTrial = TimeSpan.FromHours(1);
    private static readonly TimeSpan KeepEnded = TimeSpan.FromDays(7);

    protected override Task<int> PruneAsync(int most, CancellationToken ct) => store.PruneAsync(Clock.GetUtcNow() - KeepEnded, Clock.GetUtcNow() - KeepTrial, most, ct);
}

/// <summary>Registers actions on many runs.</summary>
internal static class BulkSetup
{
    public static IServiceCollection AddBulk(this IServiceCollection services, BrokerSettings settings)
    {
        services.AddSingleton<BulkWorker>();
        return settings.ApiOnly ? services : services.AddHostedService<BulkRunner>().AddHostedService<BulkPruning>();
    }
}
