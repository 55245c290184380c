using Broker.Storage.Dispatch;

namespace Broker.Storage.Postgres;

/// <summary>A group of claims on its way through its queues.</summary>
/// <param name="group">The claims.</param>
/// <param name="from">The rank at which to begin in each queue.</param>
/// <param name="versions">The marks' versions at that time.</param>
internal sealed class ClaimScan(ClaimGroup group, long[] from, long[] versions)
{
    public ClaimGroup Group => group;

    public long[] From => from;

    public long[] Versions => versions;

    public int Served { get; set; }

    public bool IsServed => Served == group.Slots.Count;

    public bool IsFromFront => Array.TrueForAll(from, rank => rank == 0);
}
