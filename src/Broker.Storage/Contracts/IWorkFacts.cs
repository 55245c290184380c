using Broker.Core.Steps;

namespace Broker.Storage.Contracts;

/// <summary>Steps that ask the same of a worker.</summary>
/// <param name="Id">Id of the queue.</param>
/// <param name="Workflow">The workflow whose workers take its steps; null: any worker with the labels.</param>
/// <param name="Version">Version of that workflow.</param>
/// <param name="Labels">Labels that a worker must offer.</param>
/// <param name="Priority">Queues of higher priority are served first.</param>
/// <param name="Depth">Steps that a worker could take now, counted up to <see cref="IWorkFacts.Bound"/>.</param>
/// <param name="IsCapped">There are more.</param>
/// <param name="OldestDue">When the one that has been claimable for longest became so; null when there is none.</param>
/// <param name="Leased">Steps of it that workers hold.</param>
/// <param name="WorkersAble">Workers seen lately that could serve it.</param>
public sealed record QueueView(
    int Id, string? Workflow, string? Version, IReadOnlyList<string> Labels, int Priority, int Depth, bool IsCapped, DateTimeOffset? OldestDue, int Leased, int WorkersAble);

/// <summary>Place in a list of workers.</summary>
public readonly record struct WorkerPlace(DateTimeOffset RegisteredAt, string Id);

/// <summary>A lease that a worker holds.</summary>
public sealed record HeldStep(OpenStep Step, LeaseId Lease);

/// <summary>A worker of any kind.</summary>
public sealed record WorkerState(
    string Id, WorkerKind Kind, IReadOnlyList<string> Labels, IReadOnlyList<string> Workflows, bool IsLimited, DateTimeOffset RegisteredAt, DateTimeOffset SeenAt, LastTask? LastTask)
{
    /// <summary>Leases that it holds now.</summary>
    public int Leases { get; init; }

    /// <summary>The latest of them.</summary>
    public IReadOnlyList<HeldStep> Held { get; init; } = [];
}

/// <summary>Number of workers that are known.</summary>
/// <param name="Fresh">Seen lately.</param>
/// <param name="Silent">The others.</param>
/// <param name="SilentWithLeases">Silent ones that hold a lease.</param>
public sealed record WorkerCounts(int Fresh, int Silent, int SilentWithLeases);

/// <summary>Reads queues and workers for people who operate the broker.</summary>
public interface IWorkFacts
{
    /// <summary>Steps that are counted in one queue, at most.</summary>
    const int Bound = 10_000;

    /// <summary>Queues that have a claimable or a leased step, and the store's time.</summary>
    /// <param name="workflows">Only steps of these; null: all.</param>
    /// <param name="silentAfter">A worker of that kind counts for so long.</param>
    /// <param name="ct">Gives up.</param>
    Task<(IReadOnlyList<QueueView> Queues, DateTimeOffset Now)> QueuesAsync(IReadOnlyList<string>? workflows, Func<WorkerKind, TimeSpan> silentAfter, CancellationToken ct);

    /// <summary>Workers by their last sign of life.</summary>
    Task<WorkerCounts> CountWorkersAsync(Func<WorkerKind, TimeSpan> silentAfter, CancellationToken ct);

    /// <summary>
    /// Workers in order of registration, each with at most <paramref name="held"/> of its leases, and the store's time; backward those before a place, the
    /// nearest first.
    /// </summary>
    Task<(IReadOnlyList<WorkerState> Workers, DateTimeOffset Now)> WorkersAsync(WorkerPlace? after, int limit, int held, CancellationToken ct, bool isBackward = false);

    /// <summary>One worker with its leases; null when it is not known.</summary>
    Task<(WorkerState? Worker, DateTimeOffset Now)> WorkerAsync(string id, int held, CancellationToken ct);
}
