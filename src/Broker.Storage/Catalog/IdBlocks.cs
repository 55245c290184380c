using Broker.Storage.Health;
using Broker.Storage.Tables;

namespace Broker.Storage.Catalog;

/// <summary>Run ids in blocks from the database, so that starting a run takes no exchange for its id. A block is of one epoch: another may have given it away.</summary>
internal sealed class IdBlocks(IDatabase database, StoreEpoch epoch)
{
    private const int Block = 1024;
    private readonly Lock turn = new();
    private long next;
    private long end;
    private int reservedIn;

    public long Next()
    {
        lock (turn)
        {
            while (next == end || reservedIn != epoch.Number)
            {
                reservedIn = epoch.Number;
                next = database.ReserveIds(Block);
                end = next + Block;
            }

            return next++;
        }
    }
}
