namespace Broker.Core.Steps;

/// <summary>How an attempt ended that did not succeed. Numbers are stored.</summary>
public enum AttemptOutcome
{
    /// <summary>Its worker reported a failure.</summary>
    Failed = 0,

    /// <summary>It reached a limit of its step.</summary>
    TimedOut = 1,

    /// <summary>Its lease ran out.</summary>
    LeaseLost = 2,

    /// <summary>Its worker gave it up.</summary>
    Cancelled = 3,

    /// <summary>Its worker put it off; charged nothing.</summary>
    Postponed = 4,
}

/// <summary>An attempt that did not succeed.</summary>
/// <param name="Step">Index of its step.</param>
/// <param name="Attempt">Retries that were used before it.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Worker">The worker that held it.</param>
/// <param name="GrantedAt">When it began.</param>
/// <param name="EndedAt">When it ended.</param>
/// <param name="Error">Why; null where no reason was given.</param>
public sealed record AttemptEnd(
    int Step, int Attempt, AttemptOutcome Outcome, string? Worker, DateTimeOffset? GrantedAt, DateTimeOffset EndedAt, StepError? Error)
{
    /// <summary>Counts the attempts of the step that did not succeed, from 1; 0 before it is stored.</summary>
    public int Number { get; init; }
}
