using Broker.Storage.Contracts;

namespace Broker.Settings;

/// <summary>Keys <c>Broker:Storage:…</c>.</summary>
internal sealed record StorageSettings
{
    /// <summary>Optional parts that are on.</summary>
    public Accelerators Accelerators { get; init; } = Accelerators.All;
}
