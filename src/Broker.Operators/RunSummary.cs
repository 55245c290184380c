namespace Broker.Operators;

/// <summary>A run as lists show it: without inputs, result and context, its error cut to 300 characters.</summary>
public record RunSummary
{
    /// <summary>Workflow.</summary>
    public required string Workflow { get; init; }

    /// <summary>Instance id.</summary>
    public required string Instance { get; init; }

    /// <summary>Number of the run within its instance, from 0.</summary>
    public required int Run { get; init; }

    /// <summary>Number of the instance's newest run.</summary>
    public required int LastRun { get; init; }

    /// <summary>Status of the run.</summary>
    [RunStatusWords]
    public required string Status { get; init; }

    /// <summary>Version of the definition.</summary>
    public required string Version { get; init; }

    /// <summary>Creation of the run.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>First lease, or begin of the first wait.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Last change.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>End of the run.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Milliseconds from <c>started_at</c> to the end, or to <c>as_of</c>; absent before the start.</summary>
    public long? DurationMs { get; init; }

    /// <summary>Numbers of steps.</summary>
    public required StepCounts Steps { get; init; }

    /// <summary>Up to 3 steps that have a lease or wait.</summary>
    public IReadOnlyList<CurrentStep> Current { get; init; } = [];

    /// <summary>Tags: names with a string or a number each.</summary>
    public RawJson? Tags { get; init; }

    /// <summary>Failure that decided the run.</summary>
    public RunError? Error { get; init; }
}

/// <summary>Numbers of steps of a run.</summary>
/// <param name="Total">Steps of the definition.</param>
/// <param name="Done">Succeeded or skipped. The three counts are absent from lists for definitions of more than 1,000 steps.</param>
/// <param name="Failed">Failed.</param>
/// <param name="Running">Leased by a worker.</param>
public sealed record StepCounts(int Total, int? Done = null, int? Failed = null, int? Running = null);

/// <summary>A step that is under way.</summary>
/// <param name="Step">Name of the step.</param>
/// <param name="State">A worker holds it, or it waits for an event or an instant.</param>
/// <param name="Worker">Worker that holds the lease.</param>
/// <param name="Event">Event that the step waits for.</param>
/// <param name="Since">Grant of the lease, or begin of the wait.</param>
/// <param name="Until">End of the lease or of the wait.</param>
public sealed record CurrentStep(string Step, [property: Words("leased", "waiting")] string State, string? Worker, string? Event, DateTimeOffset? Since, DateTimeOffset? Until);

/// <summary>Failure of a run.</summary>
/// <param name="Step">Step that failed first; absent where it is not known.</param>
/// <param name="Name">Name of the error, such as <c>TimeoutError</c>.</param>
/// <param name="Message">Message; at most 300 characters in lists.</param>
public sealed record RunError(string? Step, string Name, string Message);
