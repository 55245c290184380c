namespace Broker.Storage.Contracts;

/// <summary>Names under which the store is observed.</summary>
public static class StorageInstruments
{
    /// <summary>The meter of its metrics.</summary>
    public const string Meter = "Broker.Storage";

    /// <summary>The source of its traces.</summary>
    public const string Traces = "Broker.Storage";
}
