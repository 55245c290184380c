namespace Broker.Operators;

/// <summary>A run with its values and with the actions that it takes now.</summary>
public sealed record RunDetail : RunSummary
{
    /// <summary>Inputs, as they were sent.</summary>
    public required RawJson Inputs { get; init; }

    /// <summary>Final value of a run that succeeded.</summary>
    public RawJson? Result { get; init; }

    /// <summary>Context that workers keep for the run.</summary>
    public RawJson? Context { get; init; }

    /// <summary>Definition of the run.</summary>
    public required DefinitionRef Definition { get; init; }

    /// <summary>Runs of the same instance.</summary>
    public required RunLineage Lineage { get; init; }

    /// <summary>Actions, each with the reason where it is not allowed now.</summary>
    public required IReadOnlyList<RunAction> Actions { get; init; }

    /// <summary>The store's time at which the run was read.</summary>
    public required DateTimeOffset AsOf { get; init; }
}

/// <summary>Name of a definition.</summary>
/// <param name="Version">Version.</param>
/// <param name="Fingerprint">Hash of the content: equal for equal definitions.</param>
public sealed record DefinitionRef(string Version, string Fingerprint);

/// <summary>Runs of one instance, and runs that share finished steps with this one.</summary>
/// <param name="Runs">Numbers of stored runs, newest first, at most 100.</param>
/// <param name="InstanceCreatedAt">Creation of the instance.</param>
/// <param name="From">The run whose finished steps this one keeps: a retry is of its own instance, a fork of another. Absent: none, or it was removed.</param>
/// <param name="Forks">Runs that were forked from this one, newest first, at most 100.</param>
public sealed record RunLineage(IReadOnlyList<int> Runs, DateTimeOffset InstanceCreatedAt, RunAddress? From = null, IReadOnlyList<RunAddress>? Forks = null);

/// <summary>An action on a run.</summary>
/// <param name="Name">Name of the action.</param>
/// <param name="Allowed">The action changes the run now, for this caller.</param>
/// <param name="WhyNot">The reason, where the action is not allowed.</param>
public sealed record RunAction(
    [property: Words("cancel", "pause", "resume", "restart", "retry", "fork", "terminate", "delete", "send_event")] string Name, bool Allowed, string? WhyNot = null);
