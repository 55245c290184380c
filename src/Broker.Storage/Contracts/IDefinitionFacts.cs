using Broker.Core.Definitions;

namespace Broker.Storage.Contracts;

/// <summary>A stored definition without its document.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Version">Version.</param>
/// <param name="RegisteredAt">First registration.</param>
/// <param name="FromFile">It comes from a workflow file.</param>
/// <param name="Withdrawn">Its file is gone.</param>
public sealed record StoredVersion(int Id, string Version, DateTimeOffset RegisteredAt, bool FromFile, bool Withdrawn);

/// <summary>Reads which versions of a workflow are stored.</summary>
public interface IDefinitionFacts
{
    /// <summary>Versions of that name, the one registered last first.</summary>
    Task<IReadOnlyList<StoredVersion>> VersionsAsync(string name, int most, CancellationToken ct);

    /// <summary>One version, or null.</summary>
    Task<StoredVersion?> FindAsync(string name, string version, CancellationToken ct);

    ValueTask<WorkflowDefinition> GetAsync(StoredVersion version, CancellationToken ct);

    /// <summary>Definitions with that content, of any name.</summary>
    Task<IReadOnlyList<WorkflowDefinition>> WithFingerprintAsync(string fingerprint, CancellationToken ct);
}
