namespace Broker.Storage.Contracts;

/// <summary>Whether the store can serve.</summary>
public interface IStoreHealth
{
    /// <summary>Null when the database answers, is migrated, takes writes and confirms commits; else the first thing that is wrong.</summary>
    Task<string?> FaultAsync(CancellationToken ct);
}
