namespace Broker.Storage.Contracts;

/// <summary>Hints to and from other brokers on the same database.</summary>
public interface IPeerLink
{
    /// <summary>Signals of other brokers do not arrive at present.</summary>
    bool IsDeaf { get; }

    /// <summary>Runs until cancelled; survives lost connections.</summary>
    Task RunAsync(CancellationToken ct);
}
