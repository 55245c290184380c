namespace Broker.Core.Steps;

/// <summary>Limits of a task in milliseconds; null: none. Policies of the worker are no limits of these: the worker enforces them.</summary>
/// <param name="QueueMs">How long it may wait for a worker, each time that it is ready.</param>
/// <param name="AttemptMs">How long one attempt may take from its grant on.</param>
/// <param name="TotalMs">How long all attempts, with the pauses between them, may take from the first readiness on.</param>
public sealed record StepTimeouts(long? QueueMs = null, long? AttemptMs = null, long? TotalMs = null)
{
    /// <summary>Name of the failure of a step that no worker took in time.</summary>
    public const string QueueName = "QueueTimedOut";

    /// <summary>Name of the failure of an attempt that took too long.</summary>
    public const string AttemptName = "AttemptTimedOut";

    /// <summary>Name of the failure of a step whose attempts took too long together.</summary>
    public const string TotalName = "TotalTimedOut";

    /// <summary>Name of the failure of a run that took too long.</summary>
    public const string RunName = "RunTimedOut";

    /// <summary>No limit.</summary>
    public static StepTimeouts None { get; } = new();

    /// <summary>When all attempts must have ended, of a step that is ready from that instant on for the first time.</summary>
    public DateTimeOffset? TotalFrom(DateTimeOffset ready) => TotalMs is { } limit ? ready.AddMilliseconds(limit) : null;

    /// <summary>When a worker must have taken the step, of one that is ready from that instant on.</summary>
    public DateTimeOffset? QueueFrom(DateTimeOffset ready, DateTimeOffset? total) => Earlier(QueueMs is { } limit ? ready.AddMilliseconds(limit) : null, total);

    /// <summary>When an attempt that was granted at that instant must have ended.</summary>
    public DateTimeOffset? AttemptFrom(DateTimeOffset granted, DateTimeOffset? total) => Earlier(AttemptMs is { } limit ? granted.AddMilliseconds(limit) : null, total);

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one > other || one is null ? other : one;
}
