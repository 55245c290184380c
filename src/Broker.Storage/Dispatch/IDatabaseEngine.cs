using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>The engine that the stores run on.</summary>
internal interface IDatabaseEngine
{
    /// <summary>How many transactions do their work side by side.</summary>
    int Slots { get; }

    /// <summary>How many lanes take these turns: more than turns where a commit can be left to itself.</summary>
    int Loops { get; }

    /// <summary>Whether claims have as many turns and lanes of their own.</summary>
    bool HasClaimLoops { get; }

    /// <summary>A connection for transactions, one after the other; the lane keeps it until one of them fails.</summary>
    IBatchTransaction Open(DefinitionCache definitions);

    /// <summary>A context for everything that is not the hot path.</summary>
    BrokerDb CreateContext();

    /// <summary>The store's clock.</summary>
    Task<DateTimeOffset> NowAsync(CancellationToken ct);

    /// <summary>
    /// The store's clock, perhaps a moment behind it, and mostly without an exchange: to look for what may be due. What is found so is judged by the
    /// clock itself.
    /// </summary>
    Task<DateTimeOffset> NowOrBeforeAsync(CancellationToken ct);

    /// <summary>Asks the database for a sign of life; throws when there is none.</summary>
    Task PingAsync(CancellationToken ct);

    /// <summary><see cref="IBatchTransaction.Confirm"/> for the transaction of a context.</summary>
    Task ConfirmAsync(BrokerDb db, CancellationToken ct);

    /// <summary>Held around every write on an engine with a single writer.</summary>
    Task<IDisposable> WriteTurnAsync(CancellationToken ct);

    /// <summary>The same for a lane, which waits on its own thread.</summary>
    IDisposable WriteTurn();

    /// <summary>Held while migrations are applied.</summary>
    Task<IAsyncDisposable> MigrationTurnAsync(CancellationToken ct);

    /// <summary>Whether trying the same transaction again may help: deadlock, serialisation.</summary>
    bool IsTransient(Exception fault);

    /// <summary>Whether the connection on which this has happened is not to be used again.</summary>
    bool SpoilsConnection(Exception fault);

    /// <summary>Whether a row with that key is there already.</summary>
    bool IsDuplicate(Exception fault);

    /// <summary>Whether the database cannot be reached, or cannot write, at present.</summary>
    bool IsUnavailable(Exception fault);

    /// <summary>Whether waiting may help a start that failed with this: the database cannot be reached. A wrong password or a full disk is no such fault.</summary>
    bool IsAway(Exception fault);

    /// <summary>Whether the database refuses writes although it answers: a standby, or one that an operator has made read-only.</summary>
    Task<bool> IsReadOnlyAsync(CancellationToken ct);

    /// <summary>
    /// Null when the database confirms a commit, else the reason. It is tried with a commit of its own, in bounded time, if the database waits for
    /// standbys or if <paramref name="inDoubt"/> says that an earlier commit was not confirmed.
    /// </summary>
    Task<string?> CommitFaultAsync(bool inDoubt, CancellationToken ct);

    /// <summary>Leaves <paramref name="ids"/> ids for this broker; returns the first.</summary>
    long ReserveIds(int ids);

    /// <summary>Tells other brokers; a no-op on an engine with one.</summary>
    Task NotifyAsync(IReadOnlyCollection<string> topics, CancellationToken ct);
}
