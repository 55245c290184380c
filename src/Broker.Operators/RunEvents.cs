namespace Broker.Operators;

/// <summary>An event of a run.</summary>
/// <param name="Id">Number of an event that the run published; of one that was sent to it, its id.</param>
/// <param name="Direction">in: sent to the run. out: published by it.</param>
/// <param name="Type">Event type.</param>
/// <param name="Value">Its value.</param>
/// <param name="At">Arrival, or publication.</param>
/// <param name="Step">in: the only step that may take it.</param>
/// <param name="ConsumedBy">in: step that took it; absent while it is kept.</param>
/// <param name="ConsumedAt">in: when that step took it.</param>
/// <param name="Internal">out: only for readers who ask for internal events.</param>
public sealed record RunEvent(
    long Id, [property: Words("in", "out")] string Direction, string Type, RawJson Value, DateTimeOffset At, string? Step = null, string? ConsumedBy = null, DateTimeOffset? ConsumedAt = null, bool? Internal = null);

/// <summary>Choice of events.</summary>
public sealed record EventQuery : PagedQuery
{
    /// <summary>in or out.</summary>
    public string Direction { get; init; } = "in";

    /// <summary>Only of this type; null: all.</summary>
    public string? Type { get; init; }

    /// <summary>Published events that are internal as well.</summary>
    public bool WithInternal { get; init; }
}
