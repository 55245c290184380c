namespace Broker.Storage.Tables;

/// <summary>A step of a run.</summary>
internal readonly record struct StepKey(long RunId, int Index) : IComparable<StepKey>
{
    /// <summary>The order in which all transactions lock steps.</summary>
    public int CompareTo(StepKey other) => RunId != other.RunId ? RunId.CompareTo(other.RunId) : Index.CompareTo(other.Index);
}
