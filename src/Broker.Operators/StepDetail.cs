namespace Broker.Operators;

/// <summary>One step of a run with its values, its neighbours, and why it is not running.</summary>
public sealed record StepDetail : StepSummary
{
    /// <summary>Workflow.</summary>
    public required string Workflow { get; init; }

    /// <summary>Instance id.</summary>
    public required string Instance { get; init; }

    /// <summary>Number of the run.</summary>
    public required int Run { get; init; }

    /// <summary>Status of the run.</summary>
    [RunStatusWords]
    public required string RunStatus { get; init; }

    /// <summary>Result of a step that succeeded.</summary>
    public RawJson? Output { get; init; }

    /// <summary>Value that a worker sent last with a heartbeat.</summary>
    public RawJson? Progress { get; init; }

    /// <summary>The current lease.</summary>
    public StepLease? Lease { get; init; }

    /// <summary>Command of a shell job.</summary>
    public string? Command { get; init; }

    /// <summary>Labels that a worker must offer.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Retries that its policy allows.</summary>
    public int MaxRetries { get; init; }

    /// <summary>Event type of a wait.</summary>
    public string? Event { get; init; }

    /// <summary>Steps that lead here.</summary>
    public required IReadOnlyList<StepNeighbour> Predecessors { get; init; }

    /// <summary>Steps that this one leads to.</summary>
    public required IReadOnlyList<StepNeighbour> Successors { get; init; }

    /// <summary>Every cause of its state, the most likely one first.</summary>
    public required IReadOnlyList<StepCause> Causes { get; init; }
}

/// <summary>Lease of a step.</summary>
/// <param name="Id">Lease id, as its worker knows it.</param>
/// <param name="Worker">Worker that holds it.</param>
/// <param name="GrantedAt">Grant.</param>
/// <param name="ExpiresAt">End, unless the worker renews it.</param>
public sealed record StepLease(string Id, string Worker, DateTimeOffset? GrantedAt, DateTimeOffset? ExpiresAt);

/// <summary>A step beside another one.</summary>
/// <param name="Step">Name.</param>
/// <param name="Status">Status word.</param>
public sealed record StepNeighbour(string Step, [property: StepStatusWords] string Status);

/// <summary>One cause; members that do not apply are absent.</summary>
public sealed record StepCause
{
    /// <summary>Stable word of the cause.</summary>
    [CauseWords]
    public required string Code { get; init; }

    /// <summary>The cause in a sentence.</summary>
    public required string Message { get; init; }

    /// <summary>Step that it is about.</summary>
    public string? Step { get; init; }

    /// <summary>Status of that step.</summary>
    [StepStatusWords]
    public string? State { get; init; }

    /// <summary>Steps of which one is enough.</summary>
    public IReadOnlyList<string>? AnyOf { get; init; }

    /// <summary>Begin of the cause, or when it was last otherwise.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>When the cause ends by itself.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Event type.</summary>
    public string? Event { get; init; }

    /// <summary>Worker.</summary>
    public string? Worker { get; init; }

    /// <summary>Labels that a worker must offer.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Retries used so far.</summary>
    public int? Attempt { get; init; }

    /// <summary>Claimable steps before it in its queue, counted up to 10,000.</summary>
    public int? Ahead { get; init; }

    /// <summary>Name and message of an error.</summary>
    public string? Error { get; init; }

    /// <summary>Status of the run.</summary>
    [RunStatusWords]
    public string? RunStatus { get; init; }
}
