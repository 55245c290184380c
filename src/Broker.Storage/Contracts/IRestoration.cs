namespace Broker.Storage.Contracts;

/// <summary>Begins a new epoch of a database that was restored.</summary>
public interface IRestoration
{
    /// <summary>Returns how many connections of brokers were ended: their next ones see the epoch before any other row.</summary>
    Task<long> BeginEpochAsync(CancellationToken ct);
}
