using Broker.Core.Definitions;

namespace Broker.Storage.Contracts;

/// <summary>How a worker made itself known.</summary>
public enum WorkerKind
{
    /// <summary>Jobs dialect: id and labels of its own choice.</summary>
    Labelled = 0,

    /// <summary>Broker dialect: id from us, definitions that it can run.</summary>
    Registered = 1,
}

public sealed record LastTask(string Workflow, string InstanceId, string Step, bool Success);

/// <summary>A worker as it is listed.</summary>
/// <param name="Current">Step it holds a lease on now (the latest), or null.</param>
public sealed record WorkerView(
    string Id, IReadOnlyList<string> Labels, DateTimeOffset RegisteredAt, DateTimeOffset SeenAt, LastTask? LastTask, string? Current)
{
    /// <summary>The only workflows that a worker with labels may serve; null: all.</summary>
    public IReadOnlyList<string>? Workflows { get; init; }
}

/// <summary>A registration that is limited to workflows.</summary>
/// <param name="Workflows">The only workflows that the worker may serve.</param>
/// <param name="Offline">So long ago another worker must have been seen last, for its entry to be replaced.</param>
public sealed record WorkerLimit(IReadOnlyList<string> Workflows, TimeSpan Offline);

public interface IWorkerStore
{
    /// <summary>
    /// Jobs dialect: registers, or replaces the entry of that id. False: it is the entry of a worker that is alive and may serve other workflows
    /// than the limit allows, or that has registered definitions.
    /// </summary>
    Task<bool> RegisterAsync(string id, IReadOnlyList<string> labels, CancellationToken ct, WorkerLimit? limit = null);

    /// <summary>Broker dialect: registers the definitions and a new worker for them, all or nothing; null id on a conflict.</summary>
    Task<(string? Id, WorkflowDefinition? Conflict)> RegisterAsync(IReadOnlyList<WorkflowDefinition> definitions, CancellationToken ct);

    /// <summary>A sign of life; false when the id was never registered. Written within a second, with others.</summary>
    Task<bool> SeenAsync(string id, CancellationToken ct);

    /// <summary>The same with a claim: registered workers send their labels with each claim.</summary>
    Task<bool> SeenAsync(string id, IReadOnlyList<string>? labels, CancellationToken ct);

    /// <summary>A sign of life of a worker that need not be registered: asks the database nothing.</summary>
    void Seen(string id);

    /// <summary>Names of the workflows whose steps a registered worker may claim; none when it is not known or has labels instead.</summary>
    ValueTask<IReadOnlyList<string>> WorkflowsOfAsync(string id, CancellationToken ct);

    /// <summary>The only workflows that a worker with labels may serve; null: all, or no such worker.</summary>
    Task<IReadOnlyList<string>?> LimitOfAsync(string id, CancellationToken ct);

    /// <summary>A sign of life with the last task.</summary>
    void Reported(string id, LastTask task);

    /// <summary>Workers of a kind in order of registration.</summary>
    /// <param name="kind">Dialect of registration.</param>
    /// <param name="seenSince">Only those seen since then; null for all.</param>
    /// <param name="after">The worker before the first; null begins with the first.</param>
    /// <param name="limit">At most that many.</param>
    /// <param name="ct">Gives up.</param>
    Task<IReadOnlyList<WorkerView>> ListAsync(WorkerKind kind, DateTimeOffset? seenSince, WorkerView? after, int limit, CancellationToken ct);

    /// <summary>Removes labelled workers not seen since then, at most a batch; returns how many. Registered ones may come back: they go with their definitions (see <see cref="IDefinitionExpiry"/>).</summary>
    Task<int> PruneAsync(DateTimeOffset silentSince, int batch, CancellationToken ct);

    /// <summary>Writes the signs of life that were noted since the last call.</summary>
    Task FlushAsync(CancellationToken ct);
}
