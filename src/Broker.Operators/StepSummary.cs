namespace Broker.Operators;

/// <summary>A step of a run as lists show it: without input and output.</summary>
public record StepSummary
{
    /// <summary>Place in the definition, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Kind of the step.</summary>
    [StepKindWords]
    public required string Kind { get; init; }

    /// <summary>Status; of a step that was not reached, what will become of it.</summary>
    [StepStatusWords]
    public required string Status { get; init; }

    /// <summary>A pause keeps the step from being claimed.</summary>
    public bool Paused { get; init; }

    /// <summary>Retries used so far.</summary>
    public int Attempt { get; init; }

    /// <summary>Leases lost without using a retry.</summary>
    public int Losses { get; init; }

    /// <summary>Worker that holds the step, or held it last.</summary>
    public string? Worker { get; init; }

    /// <summary>When the step became ready.</summary>
    public DateTimeOffset? QueuedAt { get; init; }

    /// <summary>No worker gets it before; for a wait its end.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>First lease, or begin of the wait.</summary>
    public DateTimeOffset? BegunAt { get; init; }

    /// <summary>End of the step.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>End of the current lease.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>Limit of the step: no worker took it until then, or the end of its attempt.</summary>
    public DateTimeOffset? DeadlineAt { get; init; }

    /// <summary>Failure of the last attempt.</summary>
    public StepFailure? Error { get; init; }

    /// <summary>Counts of a map's items; absent for other steps, and until the list was read.</summary>
    public StepItemCounts? Items { get; init; }
}

/// <summary>Status of every step of a run in little space, for drawings of thousands of steps.</summary>
/// <param name="Run">Number of the run.</param>
/// <param name="Status">Status of the run.</param>
/// <param name="Words">Status words that occur.</param>
/// <param name="States">For each step, in order of the definition, the place of its word in <c>words</c>.</param>
/// <param name="AsOf">The broker's time.</param>
public sealed record StepStates(int Run, [property: RunStatusWords] string Status, [property: StepStatusWords] IReadOnlyList<string> Words, IReadOnlyList<int> States, DateTimeOffset AsOf);

/// <summary>How far a map has come.</summary>
/// <param name="Count">Items in its list.</param>
/// <param name="Open">Items that are ready, leased or waiting for a retry.</param>
/// <param name="Succeeded">Items that succeeded or were skipped.</param>
/// <param name="Failed">Items that failed.</param>
/// <param name="MaxParallel">Items that may be open at the same time.</param>
public sealed record StepItemCounts(int Count, int Open, int Succeeded, int Failed, int MaxParallel);

/// <summary>Failure of a step.</summary>
/// <param name="Name">Name of the error.</param>
/// <param name="Message">Message; at most 300 characters in lists.</param>
/// <param name="ExitCode">Exit code of the program, where its worker reports it.</param>
public sealed record StepFailure(string Name, string Message, int? ExitCode = null);

/// <summary>Choice of steps.</summary>
public sealed record StepQuery : PagedQuery
{
    /// <summary>Only these status words; empty: all.</summary>
    public IReadOnlyList<string> Statuses { get; init; } = [];
}
