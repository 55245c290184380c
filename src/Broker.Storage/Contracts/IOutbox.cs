namespace Broker.Storage.Contracts;

/// <summary>Kind of an outbox entry: it says who takes it. Numbers are stored.</summary>
public enum OutboxKind
{
    /// <summary>Something that happened to a run: a <see cref="RunNotice"/>.</summary>
    Notice = 1,
}

/// <summary>What a transaction has to tell, written with what it tells of.</summary>
/// <param name="Id">Order of writing.</param>
/// <param name="Kind">Kind.</param>
/// <param name="RunId">The run that it is about.</param>
/// <param name="BodyJson">The content, by kind.</param>
public sealed record OutboxEntry(long Id, OutboxKind Kind, long RunId, string BodyJson);

/// <summary>
/// The outbox: rows of the transactions that they tell of, until they are told. A row is leased before it is told and deleted after, so it is told at least
/// once, and by one broker at a time. <see cref="Topics.Outbox"/> is signalled after each commit that adds one.
/// </summary>
public interface IOutbox
{
    /// <summary>Leases the oldest rows that nobody holds, at most that many, in order.</summary>
    Task<IReadOnlyList<OutboxEntry>> TakeAsync(int most, TimeSpan lease, CancellationToken ct);

    /// <summary>Deletes rows that were told.</summary>
    Task RemoveAsync(IReadOnlyList<long> ids, CancellationToken ct);
}
