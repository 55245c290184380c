namespace Broker.Storage.Postgres.Caching;

/// <summary>What was remembered of a run is not so any more: the transaction is tried again from what is stored.</summary>
internal sealed class OptimisticConcurrencyException() : Exception("What was remembered of the runs has changed since.");
