using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Broker.Storage.Tests.Model;
using Broker.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresCluster))]

namespace Broker.Storage.Tests;

/// <summary>A database for each test, and what tests do with it. Each suite is abstract and has one subclass for each engine.</summary>
public abstract class StoreTests : IAsyncLifetime
{
    private readonly List<StoreHarness> opened = [];

    private protected StoreHarness Store { get; private set; } = null!;

    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    private protected StoreTests(ITestEngine engine) => Engine = engine;

    private protected ITestEngine Engine { get; }

    private protected DatabaseTarget Target { get; private set; } = null!;

    /// <summary>False: the suite gets an empty database and migrates it itself.</summary>
    private protected virtual bool IsMigrated => true;

    public async ValueTask InitializeAsync()
    {
        Target = await Engine.CreateAsync(IsMigrated);
        Store = Open();
        if (IsMigrated) await Store.Migrator.MigrateAsync(Ct);
    }

    /// <summary>Another broker on the same database.</summary>
    private protected StoreHarness Open()
    {
        var store = StoreHarness.Open(Target, Engine.Clock);
        opened.Add(store);
        return store;
    }

    /// <summary>A broker with these accelerators.</summary>
    private protected StoreHarness OpenWith(Accelerators accelerators)
    {
        var store = StoreHarness.Open(Target, Engine.Clock, accelerators: accelerators);
        opened.Add(store);
        return store;
    }

    /// <summary>A broker whose logs hold that much.</summary>
    private protected StoreHarness OpenWith(LogLimit limit)
    {
        var store = StoreHarness.Open(Target, Engine.Clock, amend: services => services.AddSingleton(limit));
        opened.Add(store);
        return store;
    }

    /// <summary>A broker with an injected fault, or with an observer.</summary>
    private protected StoreHarness OpenWith(TimeProvider clock, InjectedFault plant, Accelerators accelerators = Accelerators.All)
    {
        var store = StoreHarness.Open(Target, clock, amend: services => FaultyEngine.Add(services, plant), accelerators: accelerators);
        opened.Add(store);
        return store;
    }

    /// <summary>A second broker where the engine allows one, else the first.</summary>
    private protected StoreHarness OpenPeer() => Engine.IsShared ? Open() : Store;

    public async ValueTask DisposeAsync()
    {
        foreach (var store in opened) await store.DisposeAsync();
        await Engine.DropAsync();
        GC.SuppressFinalize(this);
    }

    private protected async Task<WorkflowDefinition> RegisterAsync(WorkflowDefinition definition)
    {
        var outcome = await Store.Definitions.RegisterAsync([definition], makeLatest: false, Ct);
        Assert.Null(outcome.Conflict);
        return outcome.Registered[0];
    }

    private protected async Task<RunRef> StartAsync(WorkflowDefinition definition, string id, string inputs = "{}")
    {
        var outcome = (await Store.Runs.StartAsync([new StartRequest(definition, id) { InputsJson = inputs }], Ct))[0];
        Assert.Equal(StartVerdict.Started, outcome.Verdict);
        return outcome.Run!;
    }

    private protected async Task<Assignment?> ClaimAsync(string worker = "w1", int? lease = null, params string[] labels) =>
        (await Store.Steps.ClaimAsync(new ClaimRequest(worker, ClaimScope.ByLabels, labels, 1, lease), Ct)).SingleOrDefault();

    private protected async Task<ReportVerdict> SucceedAsync(Assignment step, string result = "{}") =>
        (await Store.Steps.ReportAsync([new LeaseReport(step.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = result })], Ct))[0];

    private protected async Task<ReportVerdict> FailAsync(Assignment step, bool retryable = true) =>
        (await Store.Steps.ReportAsync([new LeaseReport(step.Lease, new StepReport(ReportOutcome.Failed) { Error = new("Error", "no"), Retryable = retryable })], Ct))[0];

    private protected async Task<ReportVerdict> PostponeAsync(Assignment step, long delayMs = 0) =>
        (await Store.Steps.ReportAsync([new LeaseReport(step.Lease, new StepReport(ReportOutcome.Postponed) { DelayMs = delayMs })], Ct))[0];

    /// <summary>Waits for a signal: a wait also ends without one, to look again.</summary>
    private protected static async Task SignalledAsync(IChangeSubscription subscription)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await subscription.WaitAsync(TimeSpan.FromSeconds(30), limit.Token))
        {
        }
    }

    private protected async Task<RunView> ViewAsync(RunRef run) => (await Store.History.FindAsync(run.Workflow, run.InstanceId, run.Number, Ct))!;
}
