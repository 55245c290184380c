namespace Broker.Operators;

/// <summary>An item of a map that has begun, or that a worker may take.</summary>
public sealed record StepItem
{
    /// <summary>Place in the list, from 0.</summary>
    public required int Number { get; init; }

    /// <summary>Name: that of the map with the place, such as <c>resize[3]</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Status.</summary>
    [StepStatusWords]
    public required string Status { get; init; }

    /// <summary>Retries used so far.</summary>
    public int Attempt { get; init; }

    /// <summary>Worker that holds the item, or held it last.</summary>
    public string? Worker { get; init; }

    /// <summary>When the item became ready.</summary>
    public required DateTimeOffset QueuedAt { get; init; }

    /// <summary>First lease.</summary>
    public DateTimeOffset? BegunAt { get; init; }

    /// <summary>End of the item.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Value that the item runs for.</summary>
    public RawJson? Input { get; init; }

    /// <summary>Result of an item that succeeded.</summary>
    public RawJson? Output { get; init; }

    /// <summary>Failure of the last attempt.</summary>
    public StepFailure? Error { get; init; }
}
