namespace Broker.Storage.Signals;

/// <summary>Versions of many topics in one look.</summary>
internal interface ITopicVersions
{
    /// <summary>For each topic that exists a text that differs whenever there is something new.</summary>
    Task<Dictionary<string, string>> VersionsAsync(IReadOnlyList<string> topics, CancellationToken ct);
}
