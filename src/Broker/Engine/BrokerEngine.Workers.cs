using System.Runtime.CompilerServices;
using Broker.Auth;
using Broker.Core.Definitions;
using Broker.Storage.Contracts;

namespace Broker.Engine;

internal sealed partial class BrokerEngine
{
    private const int WorkerPage = 200;

    /// <summary>Jobs dialect: registers, or replaces the entry of that id.</summary>
    public async Task RegisterWorkerAsync(string id, IReadOnlyList<string> labels, CancellationToken ct)
    {
        var limit = Caller.Current.Workflows is null ? null : new WorkerLimit(Caller.Current.Limit!, settings.WorkerOffline);
        if (!await workers.RegisterAsync(id, labels, ct, limit)) throw new WorkerForbiddenException(id);
        await audit.NoteAsync("register_worker", detail: id);
    }

    /// <summary>Broker dialect: a new worker for these definitions, all or nothing.</summary>
    public async Task<(string? Id, RegisterOutcome Definitions)> RegisterWorkerAsync(IReadOnlyList<WorkflowDefinition> registered, CancellationToken ct)
    {
        // First by themselves, for the trail; the worker's own registration then finds them in memory.
        var outcome = await RegisterAsync(registered, ct);
        if (outcome is not { Conflict: null, Full: null }) return (null, outcome);
        var (id, conflict) = await workers.RegisterAsync(registered, ct);
        if (id is not null) await audit.NoteAsync("register_worker", detail: id);
        return (id, outcome with { Conflict = conflict });
    }

    /// <summary>A sign of life; false when the id was never registered.</summary>
    public Task<bool> SeenAsync(string workerId, CancellationToken ct) => SeenAsync(workerId, null, ct);

    /// <summary>The same with a claim that carries labels.</summary>
    public Task<bool> SeenAsync(string workerId, IReadOnlyList<string>? labels, CancellationToken ct) =>
        Caller.Current is { Workflows: not null } limited ? SeenAsync(limited, workerId, labels, ct) : workers.SeenAsync(workerId, labels, ct);

    /// <summary>A sign of life of a worker that need not be registered.</summary>
    public ValueTask SeenUnregisteredAsync(string workerId, CancellationToken ct)
    {
        if (Caller.Current.Workflows is not null) return new(SeenAsync(workerId, ct));
        workers.Seen(workerId);
        return ValueTask.CompletedTask;
    }

    // Claims go by what the worker registered: a limited key must not claim in the name of a worker that registered more.
    private async Task<bool> SeenAsync(Caller limited, string workerId, IReadOnlyList<string>? labels, CancellationToken ct)
    {
        var workflows = await workers.WorkflowsOfAsync(workerId, ct);
        if (workflows.Count == 0) workflows = await workers.LimitOfAsync(workerId, ct) ?? [];
        return workflows.Count > 0 && workflows.All(limited.Knows) && await workers.SeenAsync(workerId, labels, ct);
    }

    /// <summary>Workers of a kind in order of registration, read page by page; for a limited caller those that serve no other workflows than its own.</summary>
    public async IAsyncEnumerable<WorkerView> WorkersAsync(WorkerKind kind, DateTimeOffset? seenSince, [EnumeratorCancellation] CancellationToken ct)
    {
        WorkerView? last = null;
        while (true)
        {
            var page = await workers.ListAsync(kind, seenSince, last, WorkerPage, ct);
            foreach (var worker in page)
            {
                if (Caller.Current is not { Workflows: not null } limited || worker.Workflows?.All(limited.Knows) is true) yield return worker;
            }

            if (page.Count < WorkerPage) yield break;
            last = page[^1];
        }
    }
}
