using Broker.Storage.Catalog;
using Broker.Storage.Diagnostics;
using Broker.Storage.Health;
using Broker.Storage.Signals;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Parts that every transaction uses beside its connection.</summary>
internal sealed record BatchServices(
    DefinitionCache Definitions, QueueCatalog Queues, NameCache Names, IdBlocks Ids, SignalHub Signals, ChangeHints Hints, IEnumerable<IClaimSource> ClaimSources,
    LimitedClaimCursors Cursors, StoreHealth Health, StoreEpoch Epoch, LogLimit LogLimit, WorkflowLabels Labels, NoticeWishes Notices, ItemLists Items, int DefaultLeaseSecs)
{
    /// <summary>In the order in which they are asked.</summary>
    public IClaimSource[] Sources { get; } = [.. ClaimSources];
}
