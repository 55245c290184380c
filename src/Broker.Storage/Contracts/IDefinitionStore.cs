using Broker.Core.Definitions;

namespace Broker.Storage.Contracts;

/// <summary>All or nothing: <paramref name="Registered"/> in order, or the first definition that conflicts with a known one.</summary>
public sealed record RegisterOutcome(IReadOnlyList<WorkflowDefinition> Registered, WorkflowDefinition? Conflict)
{
    /// <summary>The first definition that would be one version of its name too many; nothing is stored then.</summary>
    public WorkflowDefinition? Full { get; init; }

    /// <summary>Definitions that were not known before.</summary>
    public IReadOnlyList<WorkflowDefinition> Added { get; init; } = [];
}

/// <summary>A name in a list of definitions, without the definition, which may be megabytes.</summary>
/// <param name="Place">Where it stands in the order of first registration.</param>
/// <param name="Name">Workflow.</param>
/// <param name="LatestId">Its latest definition.</param>
public readonly record struct DefinitionHead(int Place, string Name, int LatestId);

/// <summary>Definitions: immutable, so a cached one is never stale.</summary>
public interface IDefinitionStore
{
    /// <summary>Stores what is new; the same content again is accepted, other content under the same name and version is a conflict.</summary>
    /// <param name="definitions">Definitions to register.</param>
    /// <param name="makeLatest">Also a known one becomes the latest of its name (files: what was loaded last is what runs).</param>
    /// <param name="ct">Gives up.</param>
    Task<RegisterOutcome> RegisterAsync(IReadOnlyList<WorkflowDefinition> definitions, bool makeLatest, CancellationToken ct);

    /// <summary>The id of a registered definition for a start: the definition does not expire until the run is stored.</summary>
    ValueTask<int> UseAsync(WorkflowDefinition definition, CancellationToken ct);

    /// <summary>The definition that was registered last under that name, or null. A name whose last definition is of a file that cannot be read has none.</summary>
    /// <param name="name">Of the workflow.</param>
    /// <param name="ct">Gives up.</param>
    /// <param name="evenWithdrawn">Also one whose file is gone or broken: for its runs.</param>
    Task<WorkflowDefinition?> LatestAsync(string name, CancellationToken ct, bool evenWithdrawn = false);

    /// <summary>Names that can be started and their latest definitions, in order of first registration.</summary>
    /// <param name="after">Place of the head before the first; 0 begins with the oldest.</param>
    /// <param name="limit">At most that many.</param>
    /// <param name="ct">Gives up.</param>
    /// <param name="isBackward">Those before that place, the nearest first.</param>
    Task<IReadOnlyList<DefinitionHead>> HeadsAsync(int after, int limit, CancellationToken ct, bool isBackward = false);

    /// <summary>Workflows whose latest definition is from a workflow file, by name.</summary>
    Task<IReadOnlyList<DefinitionHead>> FileHeadsAsync(CancellationToken ct);

    /// <summary>A definition that a head names.</summary>
    ValueTask<WorkflowDefinition> GetAsync(DefinitionHead head, CancellationToken ct);
}
