namespace Broker.Storage.Changes;

/// <summary>Hints to and from other brokers on the same database.</summary>
internal interface IPeerLink
{
    /// <summary>What other brokers tell does not arrive at present.</summary>
    bool IsDeaf { get; }

    /// <summary>Runs until cancelled; survives lost connections.</summary>
    Task RunAsync(CancellationToken ct);
}

/// <summary>Tells in one look what has changed of many topics.</summary>
internal interface ITopicVersions
{
    /// <summary>For each topic that exists a text that differs whenever there is something new.</summary>
    Task<Dictionary<string, string>> VersionsAsync(IReadOnlyList<string> topics, CancellationToken ct);
}

/// <summary>An engine that no other broker shares.</summary>
internal sealed class NoPeers : IPeerLink
{
    public bool IsDeaf => false;

    public Task RunAsync(CancellationToken ct) => Task.CompletedTask;
}
