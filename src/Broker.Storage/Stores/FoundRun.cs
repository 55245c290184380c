namespace Broker.Storage.Stores;

/// <summary>A run that a search has found, without what a list shows of it.</summary>
internal sealed class FoundRun
{
    public long Id { get; init; }
    public long CreatedAt { get; init; }
    public int DefinitionId { get; init; }

    /// <summary>Read only where the filter asks for groups of errors.</summary>
    public string? Workflow { get; init; }

    /// <summary>Its names and what its status asks for; read only for actions on many runs.</summary>
    public RunActivity? Whole { get; init; }

    /// <summary>Read only where the filter asks for it.</summary>
    public string? Error { get; init; }

    /// <summary>Read only where the filter asks for them.</summary>
    public string? Tags { get; init; }
}
