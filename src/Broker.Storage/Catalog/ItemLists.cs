using Broker.Core.Runs;
using Broker.Storage.Caching;

namespace Broker.Storage.Catalog;

/// <summary>Cache of the lists of open maps: a list is read once, not each time that an item ends. A list never changes within one history of the database.</summary>
internal sealed class ItemLists
{
    private const long MostBytes = 128 << 20;

    private readonly WeightedCache<(long RunId, int Map), ItemList> lists = new(MostBytes);

    public ItemList? Find(long runId, int map) => lists.TryGet((runId, map), out var list) ? list : null;

    /// <summary>Keeps a list that was read from committed rows.</summary>
    public void Keep(long runId, int map, ItemList list) => lists.Set((runId, map), list, 256 + list.Bytes);

    /// <summary>The database has another history.</summary>
    public void Forget() => lists.Clear();
}
