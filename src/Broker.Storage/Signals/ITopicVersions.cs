namespace Broker.Storage.Signals;

/// <summary>Tells in one look what has changed of many topics.</summary>
internal interface ITopicVersions
{
    /// <summary>For each topic that exists a text that differs whenever there is something new.</summary>
    Task<Dictionary<string, string>> VersionsAsync(IReadOnlyList<string> topics, CancellationToken ct);
}
