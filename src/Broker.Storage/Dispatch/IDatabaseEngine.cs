using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>A database with the transactions of the hot path.</summary>
internal interface IDatabaseEngine : IDatabase
{
    /// <summary>Transactions that execute statements side by side.</summary>
    int Slots { get; }

    /// <summary>Batch loops that share the slots: more than slots where a commit needs no slot.</summary>
    int Loops { get; }

    /// <summary>Whether claims have as many slots and loops of their own.</summary>
    bool HasClaimLoops { get; }

    /// <summary>A connection for transactions, one after the other; the batch loop keeps it until a transaction fails.</summary>
    IBatchTransaction Open(DefinitionCache definitions);

    /// <summary><see cref="IDatabase.WriteTurnAsync"/> for a batch loop, which waits on its own thread.</summary>
    IDisposable WriteTurn();

    /// <summary>Whether the connection on which this happened must not be used again.</summary>
    bool SpoilsConnection(Exception fault);
}
