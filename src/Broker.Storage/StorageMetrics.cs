using System.Diagnostics.Metrics;

namespace Broker.Storage;

/// <summary>What the store measures.</summary>
public static class StorageMetrics
{
    public const string MeterName = "Broker.Storage";

    private static readonly Meter Meter = new(MeterName);

    /// <summary>Callers that shared one transaction.</summary>
    internal static readonly Histogram<int> BatchSize = Meter.CreateHistogram<int>("broker.batch.size", "{call}", "Callers that shared one transaction");

    internal static readonly Counter<long> DatabaseErrors = Meter.CreateCounter<long>("broker.database.errors", "{error}", "Transactions that failed because the database was not available");
}
