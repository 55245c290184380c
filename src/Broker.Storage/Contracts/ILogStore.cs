using Broker.Core.Steps;

namespace Broker.Storage.Contracts;

/// <summary>A stored log line. <paramref name="MessageJson"/> is the raw JSON string as sent.</summary>
public sealed record LogRow(
    long Id, long? RunId, string Workflow, string Step, int? Attempt, string Level, string Category, string MessageJson, string? DataJson,
    long Sequence, string Stream, long TimestampMs, DateTimeOffset CreatedAt);

/// <summary>A chunk as jobs-dialect workers push it; filed under the names in the chunk.</summary>
/// <param name="Workflow">Workflow id as workers know it.</param>
/// <param name="Step">Job id.</param>
/// <param name="Sequence">The worker's own count; starts again with every attempt.</param>
/// <param name="DataJson">Raw JSON string.</param>
/// <param name="TimestampMs">The worker's clock.</param>
/// <param name="Stream">stdout or stderr.</param>
public sealed record LogChunk(string Workflow, string Step, long Sequence, string DataJson, long TimestampMs, string Stream);

/// <summary>Log lines: kept also from a lost lease, they change no state. A report's own transaction stores its lines.</summary>
public interface ILogStore
{
    /// <summary>Stores chunks in order; the lease, if this store granted it, names their run.</summary>
    Task PushAsync(LeaseId? lease, IReadOnlyList<LogChunk> chunks, CancellationToken ct);

    /// <summary>Removes up to that many of the oldest lines that belong to no run and are older than that; returns how many.</summary>
    Task<int> PruneStrayAsync(TimeSpan age, int most, CancellationToken ct);

    /// <summary>Chunks of a job after a row id, in order of arrival: a reader that goes on from the last id misses none.</summary>
    Task<IReadOnlyList<LogRow>> ReadAsync(string workflow, string step, long afterId, int limit, CancellationToken ct);

    /// <summary>The summary that was reported last for a job in a run: raw JSON string, or null.</summary>
    Task<string?> SummaryAsync(long runId, string step, CancellationToken ct);

    /// <summary>The same of one run: the chunks that came under its leases.</summary>
    Task<IReadOnlyList<LogRow>> ReadAsync(long runId, string step, long afterId, int limit, CancellationToken ct);
}
