namespace Broker.Operators;

/// <summary>An event that names no run: workflows that subscribe to its type get it.</summary>
public sealed record TypedEvent
{
    /// <summary>Type, 1 to 128 characters.</summary>
    public string? Type { get; init; }

    /// <summary>Any JSON: the inputs of the runs that it starts, and the value where it is delivered.</summary>
    public RawJson? Value { get; init; }

    /// <summary>The sender's id, 1 to 128 characters: sent again, the event starts nothing twice and is taken once. Made by the broker when left out.</summary>
    public string? EventId { get; init; }
}

/// <summary>Outcome of an event that names no run.</summary>
/// <param name="EventId">Id of the event.</param>
/// <param name="Targets">Subscriptions that want it, in order of workflows; at most 1,000.</param>
/// <param name="Capped">There are more, and they got it too.</param>
public sealed record EventRouting(string EventId, IReadOnlyList<EventTarget> Targets, bool Capped);

/// <summary>A subscription that wants an event.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance; absent where the value names none.</param>
/// <param name="Outcome">started; repeated: the event started it before; delivered to a wait; kept for a later wait; skipped.</param>
/// <param name="Reason">Why it was skipped.</param>
public sealed record EventTarget(
    string Workflow, string? Instance, [property: Words("started", "repeated", "delivered", "kept", "skipped")] string Outcome,
    [property: Words("no_key", "no_instance", "ended", "starts_paused", "backlog_full", "no_workflow", "inputs_refused", "invalid_event", "other_value")] string? Reason = null);
