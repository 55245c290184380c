using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Storage.Tests.Model;

/// <summary>A fault that is put between the clients and the product, at one of the seams it has: the model check has to find it.</summary>
internal sealed record InjectedFault(string Name)
{
    public Func<IBatchTransaction, FaultyEngine, IBatchTransaction>? Transaction { get; init; }

    public Func<IStepStore, BrokerCluster, IStepStore>? Steps { get; init; }

    public Func<IRunStore, BrokerCluster, IRunStore>? Runs { get; init; }

    /// <summary>Called before each read outside of batches.</summary>
    public Action? Looks { get; init; }

    /// <summary>A schedule that shows the fault, if only when it is played again; null: its moves have to meet at one moment, so it is searched for.</summary>
    public string? Shown { get; init; }

    /// <summary>Without several brokers the fault is none.</summary>
    public bool NeedsPeers { get; init; }

    public IStepStore Wrap(IStepStore steps, BrokerCluster cluster) => Steps?.Invoke(steps, cluster) ?? steps;

    public IRunStore Wrap(IRunStore runs, BrokerCluster cluster) => Runs?.Invoke(runs, cluster) ?? runs;

    public override string ToString() => Name;
}

/// <summary>The engine, but for its transactions.</summary>
internal sealed class FaultyEngine(IDatabaseEngine inner, InjectedFault plant) : IDatabaseEngine, IAsyncDisposable
{
    public static void Add(IServiceCollection services, InjectedFault plant)
    {
        var real = services.Single(s => s.ServiceType == typeof(IDatabaseEngine));
        services.Remove(real);
        services.AddSingleton<IDatabaseEngine>(provider => new FaultyEngine((IDatabaseEngine)real.ImplementationFactory!(provider), plant));
    }

    public int Slots => inner.Slots;

    public int Loops => inner.Loops;

    public bool HasClaimLoops => inner.HasClaimLoops;

    public IBatchTransaction Open(DefinitionCache definitions)
    {
        var transaction = inner.Open(definitions);
        return plant.Transaction is null ? transaction : plant.Transaction(transaction, new FaultyEngine(inner, new InjectedFault("none")) { Definitions = definitions });
    }

    /// <summary>For a fault that needs a second connection.</summary>
    public DefinitionCache? Definitions { get; private init; }

    public BrokerDb CreateContext()
    {
        plant.Looks?.Invoke();
        return inner.CreateContext();
    }

    public Task<DateTimeOffset> NowAsync(CancellationToken ct) => inner.NowAsync(ct);

    public Task<DateTimeOffset> NowOrBeforeAsync(CancellationToken ct) => inner.NowOrBeforeAsync(ct);

    public Task PingAsync(CancellationToken ct) => inner.PingAsync(ct);

    public Task ConfirmAsync(BrokerDb db, CancellationToken ct) => inner.ConfirmAsync(db, ct);

    public Task<IDisposable> WriteTurnAsync(CancellationToken ct) => inner.WriteTurnAsync(ct);

    public IDisposable WriteTurn() => inner.WriteTurn();

    public Task<IAsyncDisposable> MigrationTurnAsync(CancellationToken ct) => inner.MigrationTurnAsync(ct);

    public bool IsTransient(Exception fault) => inner.IsTransient(fault);

    public bool SpoilsConnection(Exception fault) => inner.SpoilsConnection(fault);

    public bool IsDuplicate(Exception fault) => inner.IsDuplicate(fault);

    public bool IsUnavailable(Exception fault) => inner.IsUnavailable(fault);

    public bool IsAway(Exception fault) => inner.IsAway(fault);

    public Task<bool> IsReadOnlyAsync(CancellationToken ct) => inner.IsReadOnlyAsync(ct);

    public Task<string?> CommitFaultAsync(bool inDoubt, CancellationToken ct) => inner.CommitFaultAsync(inDoubt, ct);

    public long ReserveIds(int ids) => inner.ReserveIds(ids);

    public Task<long> EndOtherConnectionsAsync(CancellationToken ct) => inner.EndOtherConnectionsAsync(ct);

    public Task LockAsync(BrokerDb db, IReadOnlyList<string> keys, CancellationToken ct) => inner.LockAsync(db, keys, ct);

    public async ValueTask DisposeAsync()
    {
        if (inner is IAsyncDisposable asynchronous) await asynchronous.DisposeAsync();
        else (inner as IDisposable)?.Dispose();
    }
}

/// <summary>A transaction with one fault in it.</summary>
internal abstract class FaultyTransaction(IBatchTransaction inner) : IBatchTransaction
{
    protected IBatchTransaction Inner => inner;

    public virtual void Rollback() => inner.Rollback();

    public (long Id, int DefinitionId)[] Resolve(IReadOnlyList<RunName> names) => inner.Resolve(names);

    public virtual IReadOnlyList<LeaseRef> Granted(IReadOnlyList<ClaimCommand> claims) => inner.Granted(claims);

    public virtual Loaded Begin(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, bool locksSteps) => inner.Begin(runs, steps, locksSteps);

    public virtual Loaded? TryLoadCached(IReadOnlyList<LeaseRef> leases) => inner.TryLoadCached(leases);

    public DateTimeOffset Now() => inner.Now();

    public virtual ILookup<long, StepState> ActiveSteps(IReadOnlyList<long> runs, int below = int.MaxValue) => inner.ActiveSteps(runs, below);

    public virtual ILookup<long, StepState> Steps(IReadOnlyList<StepKey> steps) => inner.Steps(steps);

    public IReadOnlyList<int> MissingItems(long runId, int first, int end, int most) => inner.MissingItems(runId, first, end, most);

    public IReadOnlyDictionary<int, string?> ItemResults(long runId, int first, int end) => inner.ItemResults(runId, first, end);

    public virtual ILookup<long, StepState> AllSteps(IReadOnlyList<long> runs) => inner.AllSteps(runs);

    public ILookup<long, int> ActiveIndexes(IReadOnlyList<long> runs) => inner.ActiveIndexes(runs);

    public ILookup<StepKey, InboxEvent> TakeInboxEvents(IReadOnlyList<(StepKey Step, string Type)> accepted) =>
        inner.TakeInboxEvents(accepted);

    public void Confirm() => inner.Confirm();

    public IReadOnlyList<StartKeyRow> StartKeys(IReadOnlyList<string> keys) => inner.StartKeys(keys);

    public bool[] KnownEvents(IReadOnlyList<(long RunId, string ClientId)> ids) => inner.KnownEvents(ids);

    public ILookup<long, InboxEvent> InboxEvents(IReadOnlyList<long> runs) => inner.InboxEvents(runs);

    public IReadOnlyList<(StepKey Step, string? Result)> Results(IReadOnlyList<StepKey> steps) => inner.Results(steps);

    public IReadOnlyList<long> RunsOf(IReadOnlyList<(string Workflow, string InstanceId)> instances) => inner.RunsOf(instances);

    public IReadOnlyDictionary<long, Inherited> Inherited(IReadOnlyList<long> runs) => inner.Inherited(runs);

    public virtual (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(
        ChangeSet changes, IReadOnlyList<ClaimGroup> claims) => inner.Write(changes, claims);

    public IReadOnlyList<long?> ChargeLogs(IReadOnlyList<LogSize> sizes) => inner.ChargeLogs(sizes);

    public void CutLogs(IReadOnlyList<LogSize> sizes) => inner.CutLogs(sizes);

    public void AppendEvents(IReadOnlyList<Appended> events) => inner.AppendEvents(events);

    public virtual IReadOnlyList<(StepKey Step, string? Result)> Commit(IReadOnlyList<StepKey> upstream, IReadOnlyList<LogLineRow> lines) => inner.Commit(upstream, lines);

    public virtual void Dispose() => inner.Dispose();
}

/// <summary>A step store with one fault in it.</summary>
internal abstract class FaultyStepStore(IStepStore inner, BrokerCluster cluster) : IStepStore
{
    protected BrokerCluster BrokerCluster => cluster;

    protected IStepStore Inner => inner;

    public virtual Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, CancellationToken ct) => inner.ClaimAsync(claim, ct);

    public IClaimTicket Open(ClaimRequest claim, CancellationToken gone) => inner.Open(claim, gone);

    public virtual Task<IReadOnlyList<ReportVerdict>> ReportAsync(IReadOnlyList<LeaseReport> reports, CancellationToken ct) => inner.ReportAsync(reports, ct);

    public Task<ReportVerdict> ReportAsync(NamedReport report, CancellationToken ct) => inner.ReportAsync(report, ct);

    public virtual Task<BatchOutcome> ReportAsync(IReadOnlyList<LeaseReport> reports, ClaimRequest? next, CancellationToken ct) => inner.ReportAsync(reports, next, ct);

    public Task<BatchOutcome> ReportAsync(IReadOnlyList<NamedReport> reports, ClaimRequest? next, CancellationToken ct) => inner.ReportAsync(reports, next, ct);

    public virtual Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(IReadOnlyList<LeaseId> leases, CancellationToken ct, IReadOnlyList<string?>? progress = null) =>
        inner.HeartbeatAsync(leases, ct, progress);

    public Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(string workerId, IReadOnlyList<NamedStep> held, CancellationToken ct) =>
        inner.HeartbeatAsync(workerId, held, ct);

    public Task<bool> PublishAsync(LeaseId lease, IReadOnlyList<PublishedEvent> events, CancellationToken ct) => inner.PublishAsync(lease, events, ct);
}

/// <summary>A run store with one fault in it.</summary>
internal abstract class FaultyRunStore(IRunStore inner, BrokerCluster cluster) : IRunStore
{
    protected BrokerCluster BrokerCluster => cluster;

    protected IRunStore Inner => inner;

    public virtual Task<IReadOnlyList<StartOutcome>> StartAsync(IReadOnlyList<StartRequest> starts, CancellationToken ct) => inner.StartAsync(starts, ct);

    public Task<RerunOutcome> RerunAsync(RerunRequest request, CancellationToken ct, BulkItemKey? item = null) => inner.RerunAsync(request, ct, item);

    public Task<(ControlVerdict Verdict, RunRef? Run)> ControlAsync(
        string workflow, string instanceId, ControlCommand command, CancellationToken ct, int? number = null, TimeSpan grace = default, BulkItemKey? item = null) =>
        inner.ControlAsync(workflow, instanceId, command, ct, number, grace, item);

    public Task<(SendVerdict Verdict, RunStatus Before)> SendAsync(
        string workflow, string instanceId, string type, string? payloadJson, string? targetStep, Delivery delivery, CancellationToken ct, string? eventId = null) =>
        inner.SendAsync(workflow, instanceId, type, payloadJson, targetStep, delivery, ct, eventId);

    public virtual Task<HandVerdict> ByHandAsync(RunRef run, string step, Func<StepDefinition, WorkflowDefinition, DateTimeOffset, HandOrder> order, CancellationToken ct) =>
        inner.ByHandAsync(run, step, order, ct);

    public virtual Task<int> ExpireLeasesAsync(int batch, CancellationToken ct) => inner.ExpireLeasesAsync(batch, ct);

    public Task<int> FinishDueAsync(int batch, CancellationToken ct) => inner.FinishDueAsync(batch, ct);
}
