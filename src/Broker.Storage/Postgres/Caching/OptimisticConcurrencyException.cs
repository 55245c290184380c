namespace Broker.Storage.Postgres.Caching;

/// <summary>A cached run or step was stale: the transaction is retried from the stored rows.</summary>
internal sealed class OptimisticConcurrencyException() : Exception("What was remembered of the runs has changed since.");
