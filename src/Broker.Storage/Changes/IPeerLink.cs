namespace Broker.Storage.Changes;

/// <summary>Hints to and from other brokers on the same database.</summary>
internal interface IPeerLink
{
    /// <summary>Runs until cancelled; survives lost connections.</summary>
    Task RunAsync(CancellationToken ct);
}

/// <summary>An engine that no other broker shares.</summary>
internal sealed class NoPeers : IPeerLink
{
    public Task RunAsync(CancellationToken ct) => Task.CompletedTask;
}
