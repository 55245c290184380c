namespace Broker.Core.Steps;

/// <summary>Where a step is. Numbers are stored.</summary>
public enum StepStatus
{
    /// <summary>Not reached yet: it has no row.</summary>
    Pending = 0,

    /// <summary>May be claimed from <see cref="StepState.Due"/> on, unless held by a pause.</summary>
    Ready = 1,

    /// <summary>A worker holds the lease.</summary>
    Leased = 2,

    /// <summary>A wait or a sleep: the broker finishes it.</summary>
    Waiting = 3,

    Succeeded = 4,

    /// <summary>Its worker decided not to run it; its successors go on.</summary>
    Skipped = 5,

    Failed = 6,
    Cancelled = 7,

    /// <summary>
    /// The broker decided not to run it: its condition was not met, or a step that it needs did not succeed. Only definitions with conditions have
    /// such steps. 8 is the stored form of a paused step.
    /// </summary>
    NotRun = 9,
}

/// <summary>One reached step of one run. <see cref="StepMachine"/> has its transitions.</summary>
public sealed record StepState
{
    // Null for most steps. Each change copies the state, and these members would be 56 of its 280 bytes.
    private StepTerms? terms;

    public required int Index { get; init; }
    public required StepStatus Status { get; init; }

    /// <summary>Retries used so far; 0 in the first attempt.</summary>
    public int Attempt { get; init; }

    /// <summary>Leases lost without using a retry.</summary>
    public int Losses { get; init; }

    /// <summary>The fence: only a report that names it counts. A cancelled step keeps it until its worker has reported.</summary>
    public long? Fence { get; init; }

    public string? Worker { get; init; }

    /// <summary>When the step was queued.</summary>
    public DateTimeOffset QueuedAt { get; init; }

    /// <summary>Ready: claimable from then on. Waiting: the deadline or the end of the sleep.</summary>
    public DateTimeOffset Due { get; init; }

    /// <summary>Grant of the current lease, or of the last one.</summary>
    public DateTimeOffset? GrantedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>
    /// The lease was granted ahead of its worker's request, and its hand-over is not recorded. A lost lease is charged nothing.
    /// </summary>
    public bool Ahead { get; init; }

    /// <summary>Length of the lease, and of each renewal.</summary>
    public int LeaseSecs { get; init; }

    /// <summary>First grant, or when the wait began: the step exists for its users from then on.</summary>
    public DateTimeOffset? BegunAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Ready: no worker took it until then, so it fails. Leased: the end of the attempt. Null: no limit.</summary>
    public DateTimeOffset? Deadline
    {
        get => terms?.Deadline;
        init => terms = value == Deadline ? terms : StepTerms.OrNull((terms ?? StepTerms.None) with { Deadline = value });
    }

    /// <summary>No attempt begins or goes on after it; null: no limit.</summary>
    public DateTimeOffset? TotalDeadline
    {
        get => terms?.TotalDeadline;
        init => terms = value == TotalDeadline ? terms : StepTerms.OrNull((terms ?? StepTerms.None) with { TotalDeadline = value });
    }

    /// <summary>Raw JSON that a worker sent last with a heartbeat. For readers: the rules neither load nor change it.</summary>
    public string? Progress
    {
        get => terms?.Progress;
        init => terms = value == Progress ? terms : StepTerms.OrNull((terms ?? StepTerms.None) with { Progress = value });
    }

    /// <summary>Raw JSON of the value that a dynamic step runs for. Written once: the rules do not load it again.</summary>
    public string? Input
    {
        get => terms?.Input;
        init => terms = value == Input ? terms : StepTerms.OrNull((terms ?? StepTerms.None) with { Input = value });
    }

    /// <summary>How far a map has come; null: the step is none.</summary>
    public MapProgress? Items
    {
        get => terms?.Items;
        init => terms = value == Items ? terms : StepTerms.OrNull((terms ?? StepTerms.None) with { Items = value });
    }

    /// <summary>A pause keeps the step from being claimed.</summary>
    public bool Paused { get; init; }

    /// <summary>Raw JSON as reported.</summary>
    public string? Result { get; init; }

    /// <summary>Why it failed, or why its last attempt did.</summary>
    public StepError? Error { get; init; }

    public bool IsFinished => Status is StepStatus.Succeeded or StepStatus.Skipped;
    public bool IsActive => Status is StepStatus.Ready or StepStatus.Leased or StepStatus.Waiting;
    public bool IsTerminal => Status is StepStatus.Succeeded or StepStatus.Skipped or StepStatus.Failed or StepStatus.Cancelled or StepStatus.NotRun;
}

/// <summary>Members of a step's state that most steps do not use.</summary>
internal sealed record StepTerms(DateTimeOffset? Deadline, DateTimeOffset? TotalDeadline, string? Progress, string? Input, MapProgress? Items)
{
    public static StepTerms None { get; } = new(null, null, null, null, null);

    public static StepTerms? OrNull(StepTerms terms) => terms == None ? null : terms;
}

/// <summary>A failure as workers report it and every dialect shows it.</summary>
public sealed record StepError(string Name, string Message)
{
    public const string DefaultName = "Error";

    /// <summary>Of a run's error: name of the step that failed.</summary>
    public string? Step { get; init; }

    /// <summary>Exit code of the program that failed, where its worker reports it.</summary>
    public int? ExitCode { get; init; }
}
