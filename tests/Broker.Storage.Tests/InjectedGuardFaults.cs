using Broker.Storage.Catalog;
using Broker.Storage.Dispatch;
using Broker.Storage.Health;
using Broker.Storage.Matching;
using Broker.Storage.Postgres;
using Broker.Storage.Signals;
using Broker.Storage.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Storage.Tests;

/// <summary>Brokers with one guard of a failover switched off.</summary>
internal static class InjectedGuardFaults
{
    /// <summary>Compares nothing that a connection reads with what is known.</summary>
    public static void NoEpochCheck(IServiceCollection services) =>
        services.AddSingleton<EpochWatch>(provider => new BlindWatch(provider.GetRequiredService<StoreEpoch>()));

    /// <summary>Ignores the warnings of commits.</summary>
    public static void NoticeIgnored(IServiceCollection services) =>
        services.AddSingleton<StoreHealth>(provider => new DeafHealth(provider.GetRequiredService<TimeProvider>()));

    /// <summary>Drops all that is remembered but the results of steps.</summary>
    public static void ResultsKept(IServiceCollection services) => services.AddSingleton(provider =>
    {
        var epoch = new StoreEpoch();
        epoch.Changed += () =>
        {
            provider.GetRequiredService<PostgresEngine>().Runs.ForgetAll();
            provider.GetRequiredService<QueueCatalog>().Forget();
            provider.GetRequiredService<DefinitionCache>().Forget();
            provider.GetRequiredService<NameCache>().ForgetAll();
            provider.GetRequiredService<ClaimScopes>().Forget();
            provider.GetRequiredService<WorkerStore>().Forget();
            provider.GetRequiredService<EagerDispatch>().Forget();
            provider.GetRequiredService<LimitedClaimCursors>().Forget();
            provider.GetRequiredService<SignalHub>().WakeAll();
        };
        return epoch;
    });

    // As behind a pooler: each transaction asks, and no answer counts.
    private sealed class BlindWatch(StoreEpoch epoch) : EpochWatch(epoch, isPooled: true, NullLogger.Instance)
    {
        public override bool Compare(Asked before, EpochReading seen, bool isNew) => true;

        public override void Reserved(Asked before, long first, long next)
        {
        }
    }

    private sealed class DeafHealth(TimeProvider clock) : StoreHealth(clock)
    {
        public override void RequireConfirmed(string? warning)
        {
        }
    }
}
