using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Core.Explanations;

/// <summary>Why a step is not running. The words that clients see are in the translation.</summary>
public enum CauseKind
{
    /// <summary>A worker holds the lease: it is running.</summary>
    Leased,

    /// <summary>The lease has expired and waits for the reaper.</summary>
    LeaseExpired,

    /// <summary>It has ended: succeeded.</summary>
    Succeeded,

    /// <summary>It has ended: its worker chose not to run it.</summary>
    Skipped,

    /// <summary>It has ended: no attempt is left.</summary>
    Failed,

    /// <summary>It was ended with its run.</summary>
    Cancelled,

    /// <summary>The whole run has ended.</summary>
    RunEnded,

    /// <summary>The run is paused, or about to be: nothing is handed out.</summary>
    RunPaused,

    /// <summary>A predecessor has not finished.</summary>
    WaitingForStep,

    /// <summary>No member of an any-of join has finished.</summary>
    WaitingForAnyOf,

    /// <summary>It can never start: something above it failed or was cancelled.</summary>
    Unreachable,

    /// <summary>A predecessor went another way, and no other one leads here.</summary>
    BranchNotTaken,

    /// <summary>The broker decided not to run it.</summary>
    ConditionNotMet,

    /// <summary>An event that has not come.</summary>
    WaitingForEvent,

    /// <summary>A sleep that has not passed.</summary>
    Sleeping,

    /// <summary>Items of a map that have not ended, or as many of them open as may be.</summary>
    WaitingForItems,

    /// <summary>A retry whose pause has not passed.</summary>
    Delayed,

    /// <summary>The broker is in maintenance: it hands out nothing.</summary>
    Maintenance,

    /// <summary>No worker that could take it has been seen lately.</summary>
    NoWorker,

    /// <summary>Other steps are before it in the queue.</summary>
    QueuedBehind,

    /// <summary>The step is ready: the next claim of a fitting worker gets it.</summary>
    Claimable,
}

/// <summary>One cause with its facts; members that do not apply are null.</summary>
public sealed record Cause(CauseKind Kind, string Message)
{
    /// <summary>The step it is about: a predecessor.</summary>
    public string? Step { get; init; }

    /// <summary>Where that step, or this one, is; null: it was never reached.</summary>
    public StepStatus? State { get; init; }

    /// <summary>Steps of which one is enough.</summary>
    public IReadOnlyList<string>? AnyOf { get; init; }

    /// <summary>When the cause ends by itself: a lease, a sleep, a deadline, a pause before a retry.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Since when, or when it was last otherwise.</summary>
    public DateTimeOffset? Since { get; init; }

    public string? Event { get; init; }

    public string? Worker { get; init; }

    /// <summary>Labels that a worker must offer.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Retries used so far.</summary>
    public int? Attempt { get; init; }

    /// <summary>Steps before it in the line.</summary>
    public int? Ahead { get; init; }

    public StepError? Error { get; init; }

    public RunStatus? Run { get; init; }
}

/// <summary>Facts about a step that are not in its run.</summary>
/// <param name="Now">The store's clock.</param>
/// <param name="WorkerSeenAt">Last sign of life of a worker that could take it; null: no such worker was seen, or the step needs none.</param>
/// <param name="Ahead">Claimable steps before it in its line, up to a bound.</param>
public sealed record StepFacts(DateTimeOffset Now, DateTimeOffset? WorkerSeenAt, int Ahead)
{
    /// <summary>Begin of the maintenance; null: the broker hands out steps.</summary>
    public DateTimeOffset? MaintenanceSince { get; init; }

    /// <summary>Why there is maintenance.</summary>
    public string? MaintenanceReason { get; init; }
}
