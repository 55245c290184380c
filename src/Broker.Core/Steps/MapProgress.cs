using System.Globalization;

namespace Broker.Core.Steps;

/// <summary>
/// The join of a map, kept in its row. It holds counters only: the end of an item costs the same in a map of 10 items as of 100,000.
/// </summary>
/// <param name="Count">Items in the list; -1: the list was not read yet.</param>
/// <param name="Next">Number of the first item that has no row yet.</param>
/// <param name="Open">Items that are ready, leased or waiting for a retry.</param>
/// <param name="Succeeded">Items that have succeeded or were skipped by their workers.</param>
/// <param name="Failed">Items that have failed for good.</param>
/// <param name="Bytes">Bytes of the results as a list, as far as they are known.</param>
/// <param name="KeptTo">Items below this number may have rows of an earlier run, which a retry keeps.</param>
public sealed record MapProgress(int Count, int Next, int Open, int Succeeded, int Failed, long Bytes, int KeptTo)
{
    /// <summary>A map that was just reached.</summary>
    public static MapProgress Fresh { get; } = new(-1, 0, 0, 0, 0, 0, 0);

    public bool IsRead => Count >= 0;

    /// <summary>No item is left to begin.</summary>
    public bool IsExhausted => IsRead && Next >= Count;

    /// <summary>Every item has ended.</summary>
    public bool IsComplete => IsExhausted && Open == 0;

    /// <summary>A retry keeps the items that have succeeded: the others begin again, in order.</summary>
    public MapProgress Again() => new(Count, 0, 0, Succeeded, 0, Bytes, Math.Max(Next, KeptTo));

    /// <summary>Counts the end of an item.</summary>
    /// <param name="ended">The item.</param>
    /// <param name="bytes">Bytes that its result adds to the list of results.</param>
    public MapProgress Counting(StepState ended, long bytes) => this with
    {
        Open = Open - 1,
        Succeeded = ended.IsFinished ? Succeeded + 1 : Succeeded,
        Failed = ended.Status is StepStatus.Failed ? Failed + 1 : Failed,
        Bytes = Bytes + bytes,
    };

    /// <summary>The stored form: the numbers in the order of the parameters, with commas between.</summary>
    public string Write() => string.Create(CultureInfo.InvariantCulture, $"{Count},{Next},{Open},{Succeeded},{Failed},{Bytes},{KeptTo}");

    public static MapProgress? Read(string? stored)
    {
        if (stored is null) return null;
        var fields = stored.Split(',');
        int Number(int place) => int.Parse(fields[place], CultureInfo.InvariantCulture);
        return new(Number(0), Number(1), Number(2), Number(3), Number(4), long.Parse(fields[5], CultureInfo.InvariantCulture), Number(6));
    }
}
