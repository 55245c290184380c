using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>One queue, as a limited claim walks along it.</summary>
internal sealed class LimitedQueueScan(QueueRow queue, LimitedClaimCursors.Walk walk)
{
    public QueueRow Queue => queue;

    public LimitedClaimCursors.Walk Walk => walk;

    /// <summary>Where the next page begins; null: the last one has reached the end.</summary>
    public QueuePlace? Next { get; set; } = walk.From;

    /// <summary>Steps that were found and not tried yet.</summary>
    public List<(QueuePlace Place, StepKey Step)> Found { get; } = [];

    /// <summary>The first step found.</summary>
    public QueuePlace? First { get; set; }

    /// <summary>Rows that have been read.</summary>
    public int Rows { get; set; }
}
