namespace Broker.Storage.Dispatch;

/// <summary>A place in a queue, in the order in which steps are handed out.</summary>
internal readonly record struct QueuePlace(long Rank, long Due, int Index) : IComparable<QueuePlace>
{
    public QueuePlace Next => this with { Index = Index + 1 };

    public int CompareTo(QueuePlace other) => (Rank, Due, Index).CompareTo((other.Rank, other.Due, other.Index));
}
