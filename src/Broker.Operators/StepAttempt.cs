namespace Broker.Operators;

/// <summary>One attempt of a step.</summary>
/// <param name="Attempt">Retries that were used before it.</param>
/// <param name="Outcome">How it ended, or running.</param>
/// <param name="Worker">Worker that held it.</param>
/// <param name="BegunAt">Grant of its lease.</param>
/// <param name="EndedAt">Its end.</param>
/// <param name="Error">Its failure.</param>
/// <param name="RetryAt">When the next attempt may begin.</param>
public sealed record StepAttempt(
    int Attempt, [property: Words("running", "succeeded", "skipped", "failed", "timed_out", "lease_lost", "cancelled", "postponed")] string Outcome, string? Worker, DateTimeOffset? BegunAt, DateTimeOffset? EndedAt, StepFailure? Error, DateTimeOffset? RetryAt = null);
