namespace Broker.Storage.Contracts;

/// <summary>What a request was decided from is not in the database any more: lanes try again from what is stored, others answer 503.</summary>
public sealed class StaleEpochException()
    : StoreUnavailableException("The database is not as this broker remembered it, as after a failover or a restore. Send the request again.", null);
