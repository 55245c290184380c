namespace Broker.Operators;

/// <summary>An order about one step of a run, given by hand.</summary>
public sealed record StepCommand
{
    /// <summary>Why: for the audit trail, 1 to 500 characters. It is required.</summary>
    public string? Reason { get; init; }
}

/// <summary>A step that is completed by hand.</summary>
public sealed record StepCompletion
{
    /// <summary>
    /// The result. Of a wait it is the event's value, checked against the event's schema; of a job an object of strings. A sleep takes none.
    /// </summary>
    public RawJson? Value { get; init; }

    /// <summary>Why: for the audit trail, 1 to 500 characters. It is required.</summary>
    public string? Reason { get; init; }
}

/// <summary>A step that is failed by hand.</summary>
public sealed record StepFailing
{
    /// <summary>Name of the error, 1 to 100 characters; FailedByHand when left out.</summary>
    public string? Name { get; init; }

    /// <summary>Message of the error, at most 10,000 characters; the reason when left out.</summary>
    public string? Message { get; init; }

    /// <summary>Why: for the audit trail, 1 to 500 characters. It is required.</summary>
    public string? Reason { get; init; }
}
