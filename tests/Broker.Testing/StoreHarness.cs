using Broker.Core.Runs;
using Broker.Storage;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Health;
using Broker.Storage.Matching;
using Broker.Storage.Schema;
using Broker.Storage.Stores;
using Broker.Storage.Tables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Testing;

/// <summary>The real stores on a real database, as one broker would hold them; several on one database are several brokers.</summary>
internal sealed class StoreHarness : IAsyncDisposable
{
    private readonly ServiceProvider provider;

    private StoreHarness(ServiceProvider provider) => this.provider = provider;

    public IDefinitionStore Definitions => provider.GetRequiredService<IDefinitionStore>();

    public IDefinitionExpiry Expiry => provider.GetRequiredService<IDefinitionExpiry>();

    public ILeaseLookup Leases => provider.GetRequiredService<ILeaseLookup>();

    public IStepStore Steps => provider.GetRequiredService<IStepStore>();

    public IRunStore Runs => provider.GetRequiredService<IRunStore>();

    public IRetention Retention => provider.GetRequiredService<IRetention>();

    public IQueueFacts Queues => provider.GetRequiredService<IQueueFacts>();

    public IHistory History => provider.GetRequiredService<IHistory>();

    public IRunSearch Search => provider.GetRequiredService<IRunSearch>();

    public IBulkStore Bulk => provider.GetRequiredService<IBulkStore>();

    public IHoldStore Holds => provider.GetRequiredService<IHoldStore>();

    public IScheduleStore Schedules => provider.GetRequiredService<IScheduleStore>();

    public ITriggerStore Triggers => provider.GetRequiredService<ITriggerStore>();

    public INoticeWishes Wishes => provider.GetRequiredService<INoticeWishes>();

    public IOutbox Outbox => provider.GetRequiredService<IOutbox>();

    public IWebhookStore Webhooks => provider.GetRequiredService<IWebhookStore>();

    public IDeliveryStore Deliveries => provider.GetRequiredService<IDeliveryStore>();

    public ILogStore Logs => provider.GetRequiredService<ILogStore>();

    public IEventStore Events => provider.GetRequiredService<IEventStore>();

    public WorkerStore Workers => provider.GetRequiredService<WorkerStore>();

    public IRepositoryStore Repositories => provider.GetRequiredService<IRepositoryStore>();

    public IKeyStore Keys => provider.GetRequiredService<IKeyStore>();

    public ISessionStore Sessions => provider.GetRequiredService<ISessionStore>();

    public IAuditStore Audit => provider.GetRequiredService<IAuditStore>();

    public EagerDispatch EagerDispatch => provider.GetRequiredService<EagerDispatch>();

    public LimitedClaimCursors Cursors => provider.GetRequiredService<LimitedClaimCursors>();

    public WaitingClaims Waiting => provider.GetRequiredService<WaitingClaims>();

    /// <summary>A claim in line, as a ticket puts it there.</summary>
    public async Task<WaitingClaim> EnterAsync(ClaimRequest claim, CancellationToken ct) =>
        Waiting.Enter(claim, await provider.GetRequiredService<ClaimScopes>().QueuesOfAsync(claim, ct), ct);

    /// <summary>Whether a ticket would skip its first look.</summary>
    public async Task<bool> IsQuietAsync(ClaimRequest claim, CancellationToken ct) =>
        provider.GetRequiredService<StepDispatcher>().WouldFindNothing(claim, await provider.GetRequiredService<ClaimScopes>().QueuesOfAsync(claim, ct));

    public IChanges Changes => provider.GetRequiredService<IChanges>();

    public IDatabaseEngine Engine => provider.GetRequiredService<IDatabaseEngine>();

    public IStartKeyStore StartKeys => provider.GetRequiredService<IStartKeyStore>();

    public IPageReads Pages => provider.GetRequiredService<IPageReads>();

    public IBacklog Backlog => provider.GetRequiredService<IBacklog>();

    public CommitProbe Commits => provider.GetRequiredService<CommitProbe>();

    public Restoration Restoration => provider.GetRequiredService<Restoration>();

    public StoreEpoch Epoch => provider.GetRequiredService<StoreEpoch>();

    /// <summary>Stands for the host's.</summary>
    public ReversingCipher Cipher => (ReversingCipher)provider.GetRequiredService<ICredentialCipher>();

    public Migrator Migrator => provider.GetRequiredService<Migrator>();

    /// <param name="target">The database.</param>
    /// <param name="clock">Clock of the stores; PostgreSQL judges by its own.</param>
    /// <param name="lanes">Transactions side by side.</param>
    /// <param name="amend">Replaces parts: for tests that plant a fault.</param>
    /// <param name="accelerators">Optional parts that are on.</param>
    public static StoreHarness Open(
        DatabaseTarget target, TimeProvider clock, int lanes = 2, Action<IServiceCollection>? amend = null, Accelerators accelerators = Accelerators.All)
    {
        var services = new ServiceCollection();
        services.AddSingleton(clock);
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddSingleton<ICredentialCipher, ReversingCipher>();
        services.AddBrokerStorage(new StorageOptions(target, DefaultLeaseSecs: 60, lanes) { Accelerators = accelerators });
        amend?.Invoke(services);
        return new StoreHarness(services.BuildServiceProvider());
    }

    /// <summary>Applies the product's own migrations to a template database.</summary>
    public static async Task MigrateAsync(string connectionString)
    {
        await using var harness = Open(new DatabaseTarget(connectionString, null), TimeProvider.System);
        await harness.Migrator.MigrateAsync(CancellationToken.None);
    }

    public ValueTask DisposeAsync() => provider.DisposeAsync();
}
