using Broker.Core.Definitions;
using Broker.Storage;

namespace Broker.Engine;

internal sealed partial class BrokerEngine
{
    /// <summary>Jobs dialect: registers, or replaces the entry of that id.</summary>
    public Task RegisterWorkerAsync(string id, IReadOnlyList<string> labels, CancellationToken ct) => workers.RegisterAsync(id, labels, ct);

    /// <summary>Broker dialect: a new worker for these definitions, all or nothing.</summary>
    public Task<(string? Id, WorkflowDefinition? Conflict)> RegisterWorkerAsync(IReadOnlyList<WorkflowDefinition> registered, CancellationToken ct) =>
        workers.RegisterAsync(registered, ct);

    /// <summary>A sign of life; false when the id was never registered.</summary>
    public Task<bool> SeenAsync(string workerId, CancellationToken ct) => workers.SeenAsync(workerId, ct);

    /// <summary>Workers of a kind in order of registration.</summary>
    public Task<IReadOnlyList<WorkerView>> WorkersAsync(WorkerKind kind, DateTimeOffset? seenSince, CancellationToken ct) => workers.ListAsync(kind, seenSince, ct);
}
