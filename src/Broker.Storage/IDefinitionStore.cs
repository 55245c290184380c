using Broker.Core.Definitions;

namespace Broker.Storage;

/// <summary>All or nothing: <paramref name="Registered"/> in order, or the first definition that conflicts with a known one.</summary>
public sealed record RegisterOutcome(IReadOnlyList<WorkflowDefinition> Registered, WorkflowDefinition? Conflict)
{
    /// <summary>Those that were not known before.</summary>
    public IReadOnlyList<WorkflowDefinition> Added { get; init; } = [];
}

/// <summary>Definitions: immutable, so they are cached for good once read.</summary>
public interface IDefinitionStore
{
    /// <summary>Stores what is new; the same content again is accepted, other content under the same name and version is a conflict.</summary>
    /// <param name="definitions">Definitions to register.</param>
    /// <param name="makeLatest">Also a known one becomes the latest of its name (files: what was loaded last is what runs).</param>
    /// <param name="ct">Gives up.</param>
    Task<RegisterOutcome> RegisterAsync(IReadOnlyList<WorkflowDefinition> definitions, bool makeLatest, CancellationToken ct);

    /// <summary>The definition that was registered last under that name, or null.</summary>
    Task<WorkflowDefinition?> LatestAsync(string name, CancellationToken ct);

    /// <summary>The latest definition of each name, in order of first registration.</summary>
    Task<IReadOnlyList<WorkflowDefinition>> ListAsync(CancellationToken ct);
}
