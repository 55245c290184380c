namespace Broker.Storage.Contracts;

/// <summary>An event on a run's stream; numbered from 0 without gaps.</summary>
/// <param name="Sequence">Number within the run.</param>
/// <param name="Type">Event type; null for the terminal event, which is rendered from the run.</param>
/// <param name="ValueJson">Raw JSON object.</param>
/// <param name="Internal">Only for readers that ask for internal events.</param>
/// <param name="CreatedAt">When it was published.</param>
public sealed record StreamEvent(long Sequence, string? Type, string ValueJson, bool Internal, DateTimeOffset CreatedAt)
{
    public bool IsTerminal => Type is null;
}

/// <summary>The outbound events of runs.</summary>
public interface IEventStore
{
    /// <summary>Events after a sequence (-1: from the beginning), in order.</summary>
    Task<IReadOnlyList<StreamEvent>> ReadAsync(long runId, long after, int limit, CancellationToken ct);

    /// <summary>Events before a sequence, the nearest first.</summary>
    Task<IReadOnlyList<StreamEvent>> ReadBackAsync(long runId, long before, int limit, CancellationToken ct);

    /// <summary>The number of the last event, -1 when there is none.</summary>
    Task<long> LastSequenceAsync(long runId, CancellationToken ct);

    /// <summary>Takes the run's single-reader lock for queue mode, or renews it; null when another reader holds it. Returns the position.</summary>
    Task<long?> TryLockQueueAsync(long runId, string reader, TimeSpan ttl, CancellationToken ct);

    /// <summary>How far queue mode has been read: the next event to deliver has a higher number.</summary>
    Task<long> QueuePositionAsync(long runId, CancellationToken ct);

    /// <summary>Moves the queue position on; false when the reader has lost the lock.</summary>
    Task<bool> AdvanceQueueAsync(long runId, string reader, long to, TimeSpan ttl, CancellationToken ct);

    Task UnlockQueueAsync(long runId, string reader, CancellationToken ct);
}
