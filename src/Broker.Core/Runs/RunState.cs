using Broker.Core.Definitions;
using Broker.Core.Graphs;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Stored phase of a run; <see cref="RunStatus"/> is derived from it and the steps. Numbers are stored.</summary>
public enum RunPhase
{
    Active = 0,

    /// <summary>Pause asked for while a lease is out: nothing new is handed out.</summary>
    Pausing = 1,
    Paused = 2,
    Succeeded = 3,
    Failed = 4,
    Cancelled = 5,
}

/// <summary>Where a run is, as every dialect's status word is derived from it.</summary>
public enum RunStatus
{
    /// <summary>No step claimed yet, or none since it was resumed.</summary>
    Queued,

    /// <summary>A step is leased, or claimable after the first claim.</summary>
    Running,

    /// <summary>No step is leased or claimable; a step sleeps, waits for an event or for its retry.</summary>
    Waiting,
    Pausing,
    Paused,
    Succeeded,
    Failed,
    Cancelled,
}

/// <summary>The row of one run, without its payloads.</summary>
public sealed record RunState
{
    // Null for most runs. Each change copies the state, and these members would be 80 of its 240 bytes.
    private RunTerms? terms;

    public required long Id { get; init; }
    public required WorkflowDefinition Definition { get; init; }
    public RunPhase Phase { get; init; }

    /// <summary>Steps that are ready, leased or waiting. The run ends when it reaches 0.</summary>
    public int Active { get; init; }

    /// <summary>Joins that some predecessor has reached and not all.</summary>
    public JoinSet Joins { get; init; } = JoinSet.Empty;

    /// <summary>
    /// Inbound events that no wait has consumed. A hand-out to a step that accepts events does not touch the run's row. The count may
    /// therefore include consumed events, until a command reads them again.
    /// </summary>
    public int InboxCount { get; init; }

    /// <summary>Internal step events are published for this run.</summary>
    public bool Streams { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>First grant that a report has confirmed; earlier grants stand in the step rows.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the run was last resumed: it counts as queued until a later grant. Null again once a step of a later grant has ended.</summary>
    public DateTimeOffset? ResumedAt { get; init; }

    /// <summary>No task is handed out before; null: from the creation on.</summary>
    public DateTimeOffset? StartAt
    {
        get => terms?.StartAt;
        init => terms = value == StartAt ? terms : RunTerms.OrNull((terms ?? RunTerms.None) with { StartAt = value });
    }

    /// <summary>When the run fails if it has not ended; null: no limit, or it has ended.</summary>
    public DateTimeOffset? Deadline
    {
        get => terms?.Deadline;
        init => terms = value == Deadline ? terms : RunTerms.OrNull((terms ?? RunTerms.None) with { Deadline = value });
    }

    /// <summary>Instant of a cancel with a grace time: steps that clean up may run until the deadline. Null: there was none.</summary>
    public DateTimeOffset? CancelledAt
    {
        get => terms?.CancelledAt;
        init => terms = value == CancelledAt ? terms : RunTerms.OrNull((terms ?? RunTerms.None) with { CancelledAt = value });
    }

    /// <summary>Added to the priority of each step.</summary>
    public int Priority
    {
        get => terms?.Priority ?? 0;
        init => terms = value == Priority ? terms : RunTerms.OrNull((terms ?? RunTerms.None) with { Priority = value });
    }

    public DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The failure that made the run fail: the first one.</summary>
    public StepError? Error { get; init; }

    public bool IsTerminal => Phase is RunPhase.Succeeded or RunPhase.Failed or RunPhase.Cancelled;
    public bool IsCancelling => CancelledAt is not null && !IsTerminal;
    public bool HandsOut => Phase is RunPhase.Active;
}

/// <summary>Members of a run's state that most runs do not use.</summary>
internal sealed record RunTerms(DateTimeOffset? StartAt, DateTimeOffset? Deadline, DateTimeOffset? CancelledAt, int Priority)
{
    public static RunTerms None { get; } = new(null, null, null, 0);

    public static RunTerms? OrNull(RunTerms terms) => terms == None ? null : terms;
}

/// <summary>Names of a run. Workers see <see cref="WorkerInstanceId"/>, in a form that no client can choose for later runs.</summary>
public sealed record RunRef(long Id, string Workflow, string InstanceId, int Number)
{
    /// <summary>The instance id for run 0, <c>ID.N</c> for run N.</summary>
    public string WorkerInstanceId => Number == 0 ? InstanceId : $"{InstanceId}.{Number}";

    /// <summary>Opaque id of the run, new for each.</summary>
    public string RunUid => $"run_{Id:x}";

    /// <summary>Whether a client may choose that id: neither the name of a later run as workers see it (<c>ID.1</c>) nor the form <c>WORKFLOW~ID</c>.</summary>
    public static bool MayBeChosen(string instanceId) =>
        !instanceId.AsSpan().ContainsAny('/', '~') && !instanceId.Any(char.IsControl) && PathNames.Fits(instanceId) && Split(instanceId).Number == 0;

    /// <summary>Takes a worker's instance id apart: <c>ID.N</c> is run N of ID, anything else run 0.</summary>
    public static (string InstanceId, int Number) Split(string workerInstanceId)
    {
        var dot = workerInstanceId.LastIndexOf('.');
        return dot > 0 && int.TryParse(workerInstanceId.AsSpan(dot + 1), System.Globalization.NumberStyles.None, null, out var number) && workerInstanceId[dot + 1] != '0'
            ? (workerInstanceId[..dot], number)
            : (workerInstanceId, 0);
    }
}
