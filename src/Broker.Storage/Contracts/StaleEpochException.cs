namespace Broker.Storage.Contracts;

/// <summary>The rows that a request was decided from are gone: a batch is retried from the stored rows, other requests answer 503.</summary>
public sealed class StaleEpochException()
    : StoreUnavailableException("The database is not as this broker remembered it, as after a failover or a restore. Send the request again.", null);
