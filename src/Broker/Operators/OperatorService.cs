using System.Reflection;
using Broker.Audit;
using Broker.Auth;
using Broker.Core.Runs;
using Broker.Engine;
using Broker.Schedules;
using Broker.Storage.Contracts;
using Broker.Webhooks;

namespace Broker.Operators;

/// <summary>The API for operators on this broker's engine and stores. A caller that is limited to workflows finds no others.</summary>
internal sealed partial class OperatorService(
    BrokerEngine engine,
    IRunSearch search,
    IStepFacts steps,
    IQueueFacts facts,
    IWorkFacts work,
    ILogSearch logs,
    IDefinitionFacts definitions,
    IAuditStore audit,
    IBulkStore bulks,
    IKeyStore keyStore,
    ApiKeyCache keys,
    ISessionStore sessionStore,
    SessionCache sessions,
    AuthSettings auth,
    OperatorHolds holds,
    IWebhookStore webhooks,
    IDeliveryStore deliveries,
    WebhookSubscriptions subscriptions,
    IScheduleStore schedules,
    ScheduleStarter starter,
    ITriggerStore triggers,
    IChangeHints hints,
    ICredentialCipher cipher,
    IChanges changes,
    AuditTrail trail) : IOperatorApi
{
    private static readonly string Version = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "";

    private readonly DateTimeOffset started = engine.Now;

    public Task<Me> MeAsync(CancellationToken ct)
    {
        var caller = Caller.Current;
        return Task.FromResult(new Me(
            caller.Id, caller == Caller.Anonymous, ScopeWords.Of(caller.Scopes), caller.Limit, Version, ["runs", "where", "explain", "logs", "workflows", "waiting", "queues", "workers", "audit", "steer", "start", "tags", "bulk", "graph", "overview", "failures", "holds", "keys", "webhooks", "schedules"]));
    }

    // A run by its names, or the problem that there is none.
    private async Task<RunView> FindAsync(RunAddress run, CancellationToken ct) =>
        await engine.FindRunAsync(run.Workflow, run.Instance, ct, run.Run) ?? throw OperatorException.NotFound(
            run.Run is { } number ? $"There is no run {number} of instance '{run.Instance}' in workflow '{run.Workflow}'." : $"There is no instance '{run.Instance}' in workflow '{run.Workflow}'.");

    private TimeSpan SilentAfter(WorkerKind kind) => engine.Settings.SilentAfter(kind);
}
