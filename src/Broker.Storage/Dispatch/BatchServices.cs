using Broker.Storage.Catalog;
using Broker.Storage.Health;
using Broker.Storage.Matching;
using Broker.Storage.Signals;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>What every transaction uses beside its connection: caches of immutable rows, ids, and whom to tell.</summary>
internal sealed record BatchServices(
    DefinitionCache Definitions, QueueCatalog Queues, NameCache Names, IdBlocks Ids, SignalHub Changes, WaitingClaims Waiting, EagerDispatch Eager, HandOvers HandOvers,
    LimitedClaimCursors Cursors, StoreHealth Health, StoreEpoch Epoch, LogLimit LogLimit, int DefaultLeaseSecs);
