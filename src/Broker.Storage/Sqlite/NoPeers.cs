using Broker.Storage.Contracts;

namespace Broker.Storage.Sqlite;

/// <summary>An engine that no other broker shares.</summary>
internal sealed class NoPeers : IPeerLink
{
    public bool IsDeaf => false;

    public Task RunAsync(CancellationToken ct) => Task.CompletedTask;
}
