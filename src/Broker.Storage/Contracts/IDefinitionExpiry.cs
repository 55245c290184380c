namespace Broker.Storage.Contracts;

/// <summary>Takes away definitions that are not used any more.</summary>
public interface IDefinitionExpiry
{
    /// <summary>
    /// Removes the definitions made by workers and dispatches that no worker registered, no dispatch named and no start used for that long, and
    /// that no run and no registered worker refers to; also the workers that were silent for as long. Returns how many definitions.
    /// </summary>
    Task<int> RemoveAsync(TimeSpan unseenFor, CancellationToken ct);
}
