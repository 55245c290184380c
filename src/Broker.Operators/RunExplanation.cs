namespace Broker.Operators;

/// <summary>Why the open steps of a run do not run, grouped by cause.</summary>
/// <param name="Status">Status of the run.</param>
/// <param name="Causes">Groups, the largest first.</param>
/// <param name="Pending">Steps that wait for others.</param>
/// <param name="Explained">Open steps that were looked at, at most 200.</param>
/// <param name="Open">Steps that are ready, leased or waiting.</param>
public sealed record RunExplanation([property: RunStatusWords] string Status, IReadOnlyList<CauseGroup> Causes, int Pending, int Explained, int Open);

/// <summary>Steps with one cause.</summary>
public sealed record CauseGroup
{
    /// <summary>Stable word of the cause.</summary>
    [Words("run_paused", "lease_expired", "leased", "sleeping", "waiting_for_event", "delayed", "queued", "maintenance", "no_worker")]
    public required string Code { get; init; }

    /// <summary>The cause in a sentence.</summary>
    public required string Message { get; init; }

    /// <summary>An action that ends the cause; absent where nothing need be done.</summary>
    public string? Advice { get; init; }

    /// <summary>Runs with such a step.</summary>
    public required int Runs { get; init; }

    /// <summary>Steps with the cause.</summary>
    public required int Steps { get; init; }

    /// <summary>Since when the oldest of them has it.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>When the first of them ends by itself.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Labels that a worker must offer.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Event type.</summary>
    public string? Event { get; init; }

    /// <summary>Workflows, at most 5.</summary>
    public required IReadOnlyList<string> Workflows { get; init; }

    /// <summary>Some of the steps, at most 5.</summary>
    public required IReadOnlyList<StepAddress> Sample { get; init; }
}

/// <summary>Names of a step.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance id.</param>
/// <param name="Run">Number of the run.</param>
/// <param name="Step">Name of the step.</param>
public sealed record StepAddress(string Workflow, string Instance, int Run, string Step);

/// <summary>Why open runs stand still, grouped by cause.</summary>
/// <param name="Causes">Groups, the one with most runs first.</param>
/// <param name="Runs">Open runs that were looked at, at most 1,000.</param>
/// <param name="Complete">False: there are more open runs than were looked at.</param>
/// <param name="AsOf">The store's time.</param>
public sealed record RunsExplanation(IReadOnlyList<CauseGroup> Causes, int Runs, bool Complete, DateTimeOffset AsOf);
