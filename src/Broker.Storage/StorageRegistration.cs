using Broker.Storage.Changes;
using Broker.Storage.Lanes;
using Broker.Storage.Postgres;
using Broker.Storage.Reads;
using Broker.Storage.Schema;
using Broker.Storage.Sqlite;
using Broker.Storage.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Broker.Storage;

/// <summary>How the store is set up.</summary>
/// <param name="Target">Where the data is.</param>
/// <param name="DefaultLeaseSecs">Lease of a step whose worker asks for none (seconds).</param>
/// <param name="Lanes">Transactions that may run side by side on PostgreSQL, 1 to 16.</param>
public sealed record StorageOptions(DatabaseTarget Target, int DefaultLeaseSecs, int Lanes)
{
    /// <summary>Versions of one definition; zero: any number.</summary>
    public int Versions { get; init; }

    /// <summary>What the log of a job holds in one run; zero: any number of bytes.</summary>
    public long LogBytes { get; init; } = 64 * 1024 * 1024;
}

/// <summary>The one way into this project.</summary>
public static class StorageRegistration
{
    public static IServiceCollection AddBrokerStorage(this IServiceCollection services, StorageOptions options)
    {
        if (options.Target.Postgres is { } connectionString)
        {
            services.AddSingleton(provider => new EpochWatch(
                provider.GetRequiredService<StoreEpoch>(), PostgresEngine.IsBehindPooler(connectionString), provider.GetRequiredService<ILogger<PostgresEngine>>()));
            services.AddSingleton(provider => new PostgresEngine(
                connectionString, options.Lanes, provider.GetRequiredService<StoreHealth>(), provider.GetRequiredService<EpochWatch>(), provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton<IEngine>(provider => provider.GetRequiredService<PostgresEngine>());
            services.AddSingleton<IBrokerLock, SharedDatabase>();
            services.AddSingleton<PostgresTopics>();
            services.AddSingleton<IPeerLink, PostgresListener>();
            services.AddSingleton<IPageReads, PooledReads>();
        }
        else
        {
            services.AddSingleton(provider => new SqliteEngine(options.Target.SqlitePath!, provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton<IEngine>(provider => provider.GetRequiredService<SqliteEngine>());
            services.AddSingleton<IBrokerLock>(provider => provider.GetRequiredService<SqliteEngine>());
            services.AddSingleton<IPeerLink, NoPeers>();
            services.AddSingleton<IPageReads, ThreadReads>();
        }

        services.AddSingleton(new LogLimit(options.LogBytes));
        services.AddSingleton<Migrator>();
        services.AddSingleton<Restoration>();
        services.AddSingleton<DefinitionCache>();
        services.AddSingleton<QueueRegistry>();
        services.AddSingleton<NameCache>();
        services.AddSingleton<IdBlocks>();
        services.AddSingleton<ClaimScopes>();
        services.AddSingleton<ClaimCursors>();
        services.AddSingleton<ClaimKeys>();
        services.AddSingleton<StoreHealth>();
        services.AddSingleton(provider =>
        {
            var epoch = new StoreEpoch();
            epoch.Changed += () => ForgetAll(provider);
            return epoch;
        });
        services.AddSingleton<CommitProbe>();
        services.AddSingleton<ChangeHub>();
        services.AddSingleton<IChanges>(provider => provider.GetRequiredService<ChangeHub>());
        services.AddSingleton<DueWatch>();
        services.AddSingleton(provider =>
        {
            var gate = ActivatorUtilities.CreateInstance<ClaimGate>(provider);
            provider.GetRequiredService<ChangeHub>().OnReady = gate.Ready;
            return gate;
        });
        services.AddSingleton<IClaimGate>(provider => provider.GetRequiredService<ClaimGate>());
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<BatchServices>(provider, options.DefaultLeaseSecs));
        services.AddSingleton<HandOvers>();
        services.AddSingleton<Prefetch>();
        services.AddSingleton<LaneSet>();
        services.AddSingleton<HandOverRecorder>();
        services.AddSingleton<StepReturns>();

        services.AddSingleton(new VersionLimit(options.Versions));
        services.AddSingleton<IDefinitionStore, DefinitionStore>();
        services.AddSingleton<IDefinitionExpiry, DefinitionExpiry>();
        services.AddSingleton<IWorkflowFileStore, WorkflowFileStore>();
        services.AddSingleton<IStepStore, StepStore>();
        services.AddSingleton<IRunStore, RunStore>();
        services.AddSingleton<IRetention, RunRetention>();
        services.AddSingleton<IHistory, History>();
        services.AddSingleton<IQueueFacts, QueueFacts>();
        services.AddSingleton<ILogStore, LogStore>();
        services.AddSingleton<IEventStore, EventStore>();
        services.AddSingleton<WorkerStore>();
        services.AddSingleton<IWorkerStore>(provider => provider.GetRequiredService<WorkerStore>());
        services.AddSingleton<IRepositoryStore, RepositoryStore>();
        services.AddSingleton<IKeyStore, KeyStore>();
        services.AddSingleton<IAuditStore, AuditStore>();
        services.AddSingleton<IStartKeyStore, StartKeyStore>();
        services.AddSingleton<IBacklog, Backlog>();
        services.AddSingleton<IDataKeyStore, DataKeyStore>();
        return services;
    }

    // All that is remembered of the database.
    private static void ForgetAll(IServiceProvider services)
    {
        services.GetService<PostgresEngine>()?.Forget();
        services.GetRequiredService<QueueRegistry>().Forget();
        services.GetRequiredService<DefinitionCache>().Forget();
        services.GetRequiredService<NameCache>().ForgetAll();
        services.GetRequiredService<ClaimScopes>().Forget();
        services.GetRequiredService<WorkerStore>().Forget();
        services.GetRequiredService<Prefetch>().Forget();
        services.GetRequiredService<ClaimCursors>().Forget();
        services.GetRequiredService<ChangeHub>().WakeAll();
    }
}
