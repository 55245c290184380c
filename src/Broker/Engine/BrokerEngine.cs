using System.Runtime.CompilerServices;
using Broker.Audit;
using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Core.Steps;
using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Engine;

/// <summary>
/// Calls of every dialect: the stores' operations, and waits, since nothing here waits inside a transaction. No dialect has a rule
/// of its own about the next state, or about callers. Here a key that is limited to workflows finds no others (see
/// <see cref="Caller"/>), and each change is put into the audit trail.
/// </summary>
internal sealed partial class BrokerEngine(
    IDefinitionStore definitions,
    IWorkflowFileStore files,
    IStepStore steps,
    IRunStore runs,
    IHistory history,
    ILogStore logs,
    IEventStore events,
    IWorkerStore workers,
    IRepositoryStore repositories,
    IChanges changes,
    ILeaseLookup leases,
    AuditTrail audit,
    BacklogGate backlog,
    OperatorHolds holds,
    BrokerSettings settings,
    IHostApplicationLifetime lifetime,
    TimeProvider clock,
    ILogger<BrokerEngine> log)
{
    private const int DefinitionPage = 200;

    public BrokerSettings Settings => settings;

    /// <summary>This host's clock: for answers that carry the present time. Deadlines are judged by the store.</summary>
    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Times pauses of streams.</summary>
    public TimeProvider Clock => clock;

    /// <summary>Ends waits and streams when the host stops.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    /// <summary>Part of it that the present caller may see.</summary>
    public IHistory History => Caller.Current is { Workflows: not null } limited ? new LimitedHistory(history, limited) : history;

    public IEventStore Events => events;

    /// <summary>Signals that the run changed, or has new events.</summary>
    public IChangeSubscription WatchRun(long runId) => changes.Subscribe(Topics.Run(runId));

    /// <summary>Signals new lines of that log.</summary>
    public IChangeSubscription WatchLog(string workflow, string step) => changes.Subscribe(Topics.Log(workflow, step));

    public async Task<RegisterOutcome> RegisterAsync(IReadOnlyList<WorkflowDefinition> registered, CancellationToken ct, bool makeLatest = false)
    {
        foreach (var definition in registered) Caller.Current.Demand(definition.Name);
        var outcome = await definitions.RegisterAsync(registered, makeLatest, ct);
        foreach (var added in outcome.Added) await audit.NoteAsync("register", added.Name, detail: $"version {added.Version}");
        return outcome;
    }

    /// <summary>The definition registered last under that name, or null.</summary>
    public Task<WorkflowDefinition?> LatestAsync(string workflow, CancellationToken ct) =>
        Caller.Current.Knows(workflow) ? definitions.LatestAsync(workflow, ct) : Task.FromResult<WorkflowDefinition?>(null);

    /// <summary>Names of workflows in order of first registration, behind a place, read page by page; backward those before it, the nearest first.</summary>
    public async IAsyncEnumerable<DefinitionHead> DefinitionsAsync([EnumeratorCancellation] CancellationToken ct, int after = 0, bool isBackward = false)
    {
        while (true)
        {
            var page = await definitions.HeadsAsync(after, DefinitionPage, ct, isBackward);
            foreach (var head in Known(page, head => head.Name)) yield return head;
            if (page.Count < DefinitionPage) yield break;
            after = page[^1].Place;
        }
    }

    /// <summary>Names of workflows from files.</summary>
    public async Task<IReadOnlyList<DefinitionHead>> FileDefinitionsAsync(CancellationToken ct) =>
        Known(await definitions.FileHeadsAsync(ct), head => head.Name);

    public ValueTask<WorkflowDefinition> DefinitionAsync(DefinitionHead head, CancellationToken ct) => definitions.GetAsync(head, ct);

    // Those of workflows that the present caller may know.
    private static IReadOnlyList<T> Known<T>(IReadOnlyList<T> all, Func<T, string> workflow) =>
        Caller.Current is { Workflows: not null } limited ? [.. all.Where(item => limited.Knows(workflow(item)))] : all;

    public async Task PutRepositoryAsync(Repository repository, CancellationToken ct)
    {
        await repositories.PutAsync(repository, ct);
        await audit.NoteAsync("register_repository", detail: repository.Name);
    }

    /// <summary>Credentials only for callers that may see them.</summary>
    public Task<Repository?> FindRepositoryAsync(string name, bool withCredentials, CancellationToken ct) => repositories.FindAsync(name, withCredentials, ct);

    public Task<IReadOnlyList<Repository>> RepositoriesAsync(int skip, int take, bool withCredentials, CancellationToken ct) =>
        repositories.ListAsync(skip, take, withCredentials, ct);

    /// <summary>Stores chunks, if they are all for workflows that the caller may know. A lease of another workflow is as good as none.</summary>
    public async Task PushLogsAsync(LeaseId? lease, IReadOnlyList<LogChunk> chunks, CancellationToken ct)
    {
        if (Caller.Current is { Workflows: not null } limited)
        {
            foreach (var workflow in chunks.Select(chunk => chunk.Workflow).Distinct(StringComparer.Ordinal))
            {
                if (!await KnowsLogAsync(workflow, ct)) throw new WorkflowForbiddenException(workflow);
            }

            if (lease is { } held && (await KnownRunsAsync(limited, [held.RunId], ct)).Count == 0) lease = null;
        }

        await logs.PushAsync(lease, chunks, ct);
    }

    /// <param name="workflow">As workers know it: the name, or <c>WORKFLOW~INSTANCE</c>.</param>
    /// <param name="step">Job id.</param>
    /// <param name="afterId">Row before the first.</param>
    /// <param name="limit">At most that many.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<IReadOnlyList<LogRow>> ReadLogsAsync(string workflow, string step, long afterId, int limit, CancellationToken ct) =>
        await KnowsLogAsync(workflow, ct) ? await logs.ReadAsync(workflow, step, afterId, limit, ct) : [];

    /// <summary>The same of one run, which the caller has found.</summary>
    public Task<IReadOnlyList<LogRow>> ReadLogsAsync(long runId, string step, long afterId, int limit, CancellationToken ct) =>
        logs.ReadAsync(runId, step, afterId, limit, ct);

    /// <summary>The summary that was reported last for a job of a run, which the caller has found: raw JSON string, or null.</summary>
    public Task<string?> SummaryAsync(long runId, string step, CancellationToken ct) => logs.SummaryAsync(runId, step, ct);

    private async ValueTask<bool> KnowsLogAsync(string workflow, CancellationToken ct)
    {
        if (Caller.Current.Knows(workflow)) return true;
        var tilde = workflow.LastIndexOf('~');

        // A workflow may have such a name itself; then it is not an instance of one that is known.
        return tilde > 0 && Caller.Current.Knows(workflow[..tilde]) && await definitions.LatestAsync(workflow, ct) is null;
    }
}
