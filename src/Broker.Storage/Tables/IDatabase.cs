using Broker.Storage.Contracts;

namespace Broker.Storage.Tables;

/// <summary>One database, as all code sees it that is not on the hot path.</summary>
internal interface IDatabase : IDatabaseFaults
{
    BrokerDb CreateContext();

    /// <summary>The database's clock.</summary>
    Task<DateTimeOffset> NowAsync(CancellationToken ct);

    /// <summary>
    /// The database's clock or up to a moment before it, mostly without an exchange: for looking up what may be due. A change that follows is judged by the
    /// clock itself.
    /// </summary>
    Task<DateTimeOffset> NowOrBeforeAsync(CancellationToken ct);

    /// <summary>
    /// Makes the commit of this context's transaction wait for standbys although it writes nothing. A row that was read may belong to a commit that no
    /// standby has confirmed.
    /// </summary>
    Task ConfirmAsync(BrokerDb db, CancellationToken ct);

    /// <summary>Makes transactions with one of these keys wait for each other, until the context's transaction ends. The keys are sorted.</summary>
    Task LockAsync(BrokerDb db, IReadOnlyList<string> keys, CancellationToken ct);

    /// <summary>Held around each write on an engine with a single writer.</summary>
    Task<IDisposable> WriteTurnAsync(CancellationToken ct);

    /// <summary>Held while migrations are applied.</summary>
    Task<IAsyncDisposable> MigrationTurnAsync(CancellationToken ct);

    /// <summary>Whether the same transaction may succeed when it is retried: deadlock, serialisation.</summary>
    bool IsTransient(Exception fault);

    /// <summary>Whether a row with that key exists already.</summary>
    bool IsDuplicate(Exception fault);

    /// <summary>Whether the database refuses writes although it answers: a standby, or one that an operator has made read-only.</summary>
    Task<bool> IsReadOnlyAsync(CancellationToken ct);

    /// <summary>
    /// Null when the database confirms a commit, else the reason. It is tried with a commit of its own, in bounded time. That is done if the database
    /// waits for standbys, or if <paramref name="inDoubt"/> says that an earlier commit was not confirmed.
    /// </summary>
    Task<string?> CommitFaultAsync(bool inDoubt, CancellationToken ct);

    /// <summary>Reserves <paramref name="ids"/> ids for this broker; returns the first.</summary>
    long ReserveIds(int ids);

    /// <summary>Ends the connections that other brokers have to this database, as far as the role may; returns how many.</summary>
    Task<long> EndOtherConnectionsAsync(CancellationToken ct);
}
