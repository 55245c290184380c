using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Diagnostics;
using Broker.Storage.Dispatch;
using Broker.Storage.Health;
using Broker.Storage.Matching;
using Broker.Storage.Postgres;
using Broker.Storage.Schema;
using Broker.Storage.Signals;
using Broker.Storage.Sqlite;
using Broker.Storage.Stores;
using Broker.Storage.Tables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Broker.Storage;

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
                connectionString, options.Lanes, options.Accelerators, provider.GetRequiredService<StoreHealth>(), provider.GetRequiredService<EpochWatch>(), provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton<IDatabaseEngine>(provider => provider.GetRequiredService<PostgresEngine>());
            services.AddSingleton<IBrokerLock, SharedDatabase>();
            services.AddSingleton<PostgresTopics>();
            services.AddSingleton<IPeerLink, PostgresListener>();
            services.AddSingleton<IPageReads, PooledReads>();
        }
        else
        {
            services.AddSingleton(provider => new SqliteEngine(options.Target.SqlitePath!, provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton<IDatabaseEngine>(provider => provider.GetRequiredService<SqliteEngine>());
            services.AddSingleton<IBrokerLock>(provider => provider.GetRequiredService<SqliteEngine>());
            services.AddSingleton<IPeerLink, NoPeers>();
            services.AddSingleton<IPageReads, ThreadReads>();
        }

        services.AddSingleton<IDatabase>(provider => provider.GetRequiredService<IDatabaseEngine>());
        services.AddSingleton<IDatabaseFaults>(provider => provider.GetRequiredService<IDatabaseEngine>());
        services.AddSingleton(new LogLimit(options.LogBytes));
        services.AddSingleton<Migrator>();
        services.AddSingleton<ISchema>(provider => provider.GetRequiredService<Migrator>());
        services.AddSingleton<Restoration>();
        services.AddSingleton<IRestoration>(provider => provider.GetRequiredService<Restoration>());
        services.AddSingleton<DefinitionCache>();
        services.AddSingleton<QueueCatalog>();
        services.AddSingleton<NameCache>();
        services.AddSingleton<ItemLists>();
        services.AddSingleton<IdBlocks>();
        services.AddSingleton<ClaimScopes>();
        services.AddSingleton<LimitedClaimCursors>();
        services.AddSingleton<ClaimReplay>();
        services.AddSingleton<WorkflowLabels>();
        services.AddSingleton<NoticeWishes>();
        services.AddSingleton<INoticeWishes>(provider => provider.GetRequiredService<NoticeWishes>());
        services.AddSingleton<StoreHealth>();
        services.AddSingleton(provider =>
        {
            var epoch = new StoreEpoch();
            epoch.Changed += () => ForgetAll(provider);
            return epoch;
        });
        services.AddSingleton<IStoreEpoch>(provider => provider.GetRequiredService<StoreEpoch>());
        services.AddSingleton<CommitProbe>();
        services.AddSingleton<IStoreHealth, StoreReadiness>();
        services.AddSingleton<SignalHub>();
        services.AddSingleton<ChangeHints>();
        services.AddSingleton<IChangeHints>(provider => provider.GetRequiredService<ChangeHints>());
        services.AddSingleton<IChanges>(provider => provider.GetRequiredService<SignalHub>());
        services.AddSingleton<DueWatch>();
        services.AddSingleton<WaitingClaims>();
        services.AddSingleton<IWaitingClaims>(provider => provider.GetRequiredService<WaitingClaims>());
        services.AddSingleton<HandOvers>();
        services.AddSingleton<EagerDispatch>();
        services.AddSingleton<IClaimSource>(provider => provider.GetRequiredService<WaitingClaims>());
        if (options.Accelerators.HasFlag(Accelerators.EagerDispatch)) services.AddSingleton<IClaimSource>(provider => provider.GetRequiredService<EagerDispatch>());
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<BatchServices>(provider, options.DefaultLeaseSecs));
        services.AddSingleton<Batcher>();
        services.AddSingleton<HandOverRecorder>();
        services.AddSingleton<EagerDispatchReclaimer>();

        services.AddSingleton(new VersionLimit(options.Versions));
        services.AddSingleton<IDefinitionStore, DefinitionStore>();
        services.AddSingleton<IDefinitionExpiry, DefinitionExpiry>();
        services.AddSingleton<IWorkflowFileStore, WorkflowFileStore>();
        services.AddSingleton<StepDispatcher>();
        services.AddSingleton<IStepStore>(provider => provider.GetRequiredService<StepDispatcher>());
        services.AddSingleton<ILeaseLookup, LeaseLookup>();
        services.AddSingleton<IRunStore, RunStore>();
        services.AddSingleton<IRetention, RunRetention>();
        services.AddSingleton<IHistory, History>();
        services.AddSingleton<QueueFacts>();
        services.AddSingleton<IQueueFacts>(provider => provider.GetRequiredService<QueueFacts>());
        services.AddSingleton<DueWork>();
        services.AddSingleton<IRunSearch, RunSearch>();
        services.AddSingleton<IStepFacts, StepSearch>();
        services.AddSingleton<IWorkFacts, WorkFacts>();
        services.AddSingleton<ILogSearch, LogSearch>();
        services.AddSingleton<IDefinitionFacts, DefinitionFacts>();
        services.AddSingleton<ILogStore, LogStore>();
        services.AddSingleton<IEventStore, EventStore>();
        services.AddSingleton<WorkerStore>();
        services.AddSingleton<IWorkerStore>(provider => provider.GetRequiredService<WorkerStore>());
        services.AddSingleton<IRepositoryStore, RepositoryStore>();
        services.AddSingleton<IKeyStore, KeyStore>();
        services.AddSingleton<ISessionStore, SessionStore>();
        services.AddSingleton<IAuditStore, AuditStore>();
        services.AddSingleton<IOutbox, Outbox>();
        services.AddSingleton<IWebhookStore, WebhookStore>();
        services.AddSingleton<IDeliveryStore, DeliveryStore>();
        services.AddSingleton<IStartKeyStore, StartKeyStore>();
        services.AddSingleton<IBacklog, Backlog>();
        services.AddSingleton<IDataKeyStore, DataKeyStore>();
        services.AddSingleton<IBulkStore, BulkStore>();
        services.AddSingleton<IHoldStore, HoldStore>();
        services.AddSingleton<IScheduleStore, ScheduleStore>();
        services.AddSingleton<ITriggerStore, TriggerStore>();
        return services;
    }

    /// <inheritdoc cref="StorageMetrics.ShowCounters"/>
    public static void ShowCounters() => StorageMetrics.ShowCounters();

    // All caches of the database.
    private static void ForgetAll(IServiceProvider services)
    {
        services.GetService<PostgresEngine>()?.Forget();
        services.GetRequiredService<QueueCatalog>().Forget();
        services.GetRequiredService<DefinitionCache>().Forget();
        services.GetRequiredService<NameCache>().ForgetAll();
        services.GetRequiredService<ItemLists>().Forget();
        services.GetRequiredService<ClaimScopes>().Forget();
        services.GetRequiredService<WorkerStore>().Forget();
        services.GetRequiredService<EagerDispatch>().Forget();
        services.GetRequiredService<LimitedClaimCursors>().Forget();
        services.GetRequiredService<SignalHub>().WakeAll();
    }
}
