using Broker.Core.Definitions;
using Broker.Core.Steps;
using Broker.Settings;
using Broker.Storage;

namespace Broker.Engine;

/// <summary>
/// What every dialect calls: the stores' operations, plus waiting, for nothing here waits inside a transaction. No dialect has a rule
/// of its own about what may happen next.
/// </summary>
internal sealed partial class BrokerEngine(
    IDefinitionStore definitions,
    IStepStore steps,
    IRunStore runs,
    IHistory history,
    ILogStore logs,
    IEventStore events,
    IWorkerStore workers,
    IRepositoryStore repositories,
    IChanges changes,
    IClaimGate gate,
    BacklogGate backlog,
    BrokerSettings settings,
    IHostApplicationLifetime lifetime,
    TimeProvider clock,
    ILogger<BrokerEngine> log)
{
    public BrokerSettings Settings => settings;

    /// <summary>This host's clock: for answers that carry the present time. Deadlines are judged by the store.</summary>
    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Ends waits and streams when the host stops.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    public IHistory History => history;

    public IEventStore Events => events;

    public IChanges Changes => changes;

    public Task<RegisterOutcome> RegisterAsync(IReadOnlyList<WorkflowDefinition> registered, CancellationToken ct, bool makeLatest = false) =>
        definitions.RegisterAsync(registered, makeLatest, ct);

    /// <summary>The definition registered last under that name, or null.</summary>
    public Task<WorkflowDefinition?> LatestAsync(string workflow, CancellationToken ct) => definitions.LatestAsync(workflow, ct);

    /// <summary>The latest definition of each name, in order of first registration.</summary>
    public Task<IReadOnlyList<WorkflowDefinition>> DefinitionsAsync(CancellationToken ct) => definitions.ListAsync(ct);

    public Task PutRepositoryAsync(Repository repository, CancellationToken ct) => repositories.PutAsync(repository, ct);

    /// <summary>Credentials only for callers that may see them.</summary>
    public Task<Repository?> FindRepositoryAsync(string name, bool withCredentials, CancellationToken ct) => repositories.FindAsync(name, withCredentials, ct);

    public Task<IReadOnlyList<Repository>> RepositoriesAsync(int skip, int take, bool withCredentials, CancellationToken ct) =>
        repositories.ListAsync(skip, take, withCredentials, ct);

    public Task PushLogsAsync(LeaseId? lease, IReadOnlyList<LogChunk> chunks, CancellationToken ct) => logs.PushAsync(lease, chunks, ct);

    public Task<IReadOnlyList<LogRow>> ReadLogsAsync(string workflow, string step, long afterId, int limit, CancellationToken ct) =>
        logs.ReadAsync(workflow, step, afterId, limit, ct);
}
