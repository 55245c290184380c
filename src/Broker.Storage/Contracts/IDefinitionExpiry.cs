namespace Broker.Storage.Contracts;

/// <summary>Takes away definitions that are not used any more.</summary>
public interface IDefinitionExpiry
{
    /// <summary>
    /// Removes definitions of workers and dispatches that no registration, dispatch or start used for that long. One that a run or a
    /// registered worker refers to stays. Removes workers that were silent for as long, too. Returns the number of definitions.
    /// </summary>
    Task<int> RemoveAsync(TimeSpan unseenFor, CancellationToken ct);
}
