namespace Broker.Storage.Contracts;

/// <summary>Which history of the database this broker works on. A restore, or a failover that lost transactions, begins another one.</summary>
public interface IStoreEpoch
{
    int Number { get; }

    /// <summary>Caches of the database must be dropped. Raised more than once for one change.</summary>
    event Action? Changed;
}
