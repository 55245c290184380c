namespace Broker.Storage.Contracts;

/// <summary>Kind of an outbox entry: it says who takes it. Numbers are stored.</summary>
public enum OutboxKind
{
    /// <summary>Something that happened to a run: a <see cref="RunNotice"/>.</summary>
    Notice = 1,
}

/// <summary>A notice of a transaction, committed with the change that it names.</summary>
/// <param name="Id">Order of writing.</param>
/// <param name="Kind">Kind.</param>
/// <param name="RunId">The run that it is about.</param>
/// <param name="BodyJson">The content, by kind.</param>
public sealed record OutboxEntry(long Id, OutboxKind Kind, long RunId, string BodyJson);

/// <summary>
/// The outbox: notices of transactions, until they are sent. A row is leased before it is sent and deleted after. So each is sent at least once, and by one broker
/// at a time. <see cref="Topics.Outbox"/> is signalled after each commit that adds one.
/// </summary>
public interface IOutbox
{
    /// <summary>Leases the oldest rows without a lease, at most that many, in order.</summary>
    Task<IReadOnlyList<OutboxEntry>> TakeAsync(int most, TimeSpan lease, CancellationToken ct);

    /// <summary>Deletes rows that were sent.</summary>
    Task RemoveAsync(IReadOnlyList<long> ids, CancellationToken ct);
}
