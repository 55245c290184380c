namespace Broker.Operators;

/// <summary>A workflow.</summary>
/// <param name="Name">Name.</param>
/// <param name="Version">Version that a start runs.</param>
/// <param name="Kind">jobs: shell commands, defined through the jobs dialect or a file.</param>
/// <param name="Steps">Steps of that version.</param>
/// <param name="FromFile">It comes from a workflow file.</param>
/// <param name="LastRun">Its newest run.</param>
/// <param name="StartsPaused">The order that starts no runs of it; absent while they start.</param>
public sealed record WorkflowSummary(string Name, string Version, [property: Words("jobs", "steps")] string Kind, int Steps, bool FromFile, LastRun? LastRun, HoldInfo? StartsPaused = null);

/// <summary>The newest run of a workflow.</summary>
/// <param name="Instance">Instance id.</param>
/// <param name="Run">Number of the run.</param>
/// <param name="Status">Status of the run.</param>
/// <param name="CreatedAt">Creation of the run.</param>
public sealed record LastRun(string Instance, int Run, [property: RunStatusWords] string Status, DateTimeOffset CreatedAt);

/// <summary>One version of a workflow.</summary>
public sealed record WorkflowDetail
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Version.</summary>
    public required string Version { get; init; }

    /// <summary>A start runs this version.</summary>
    public required bool IsLatest { get; init; }

    /// <summary>Hash of the content.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>jobs: shell commands, defined through the jobs dialect or a file.</summary>
    [Words("jobs", "steps")]
    public required string Kind { get; init; }

    /// <summary>First registration.</summary>
    public required DateTimeOffset RegisteredAt { get; init; }

    /// <summary>The order that starts no runs of the workflow; absent while they start.</summary>
    public HoldInfo? StartsPaused { get; init; }

    /// <summary>Steps in order of the definition.</summary>
    public required IReadOnlyList<WorkflowStep> Steps { get; init; }

    /// <summary>Event that starts a run; its schema is that of the inputs, where the workflow declares them.</summary>
    public required WorkflowEvent Start { get; init; }

    /// <summary>All events that the workflow knows.</summary>
    public required IReadOnlyList<WorkflowEvent> Events { get; init; }

    /// <summary>The definition as it was registered.</summary>
    public required RawJson Document { get; init; }
}

/// <summary>A step of a definition.</summary>
/// <param name="Name">Name.</param>
/// <param name="Kind">Kind of the step.</param>
/// <param name="Predecessors">Names of steps that lead here.</param>
/// <param name="Labels">Labels that a worker must offer.</param>
/// <param name="MaxRetries">Retries that its policy allows.</param>
/// <param name="Event">Event type of a wait.</param>
public sealed record WorkflowStep(string Name, [property: StepKindWords] string Kind, IReadOnlyList<string> Predecessors, IReadOnlyList<string> Labels, int MaxRetries, string? Event);

/// <summary>An event of a workflow.</summary>
/// <param name="Type">Type.</param>
/// <param name="Schema">JSON Schema of its fields.</param>
public sealed record WorkflowEvent(string Type, RawJson Schema);

/// <summary>A version in a list.</summary>
/// <param name="Version">Version.</param>
/// <param name="IsLatest">A start runs it.</param>
/// <param name="RegisteredAt">First registration.</param>
/// <param name="FromFile">It comes from a workflow file.</param>
/// <param name="Withdrawn">Its file is gone: its runs go on, and none starts.</param>
public sealed record WorkflowVersion(string Version, bool IsLatest, DateTimeOffset RegisteredAt, bool FromFile, bool Withdrawn);

/// <summary>A workflow file.</summary>
public sealed record WorkflowText
{
    /// <summary>yaml (the default) or json.</summary>
    [Words("yaml", "json")]
    public string? Format { get; init; }

    /// <summary>Content of the file, at most 1,048,576 characters.</summary>
    public string? Text { get; init; }

    /// <summary>Says what would change, and changes nothing.</summary>
    public bool? DryRun { get; init; }
}

/// <summary>Outcome of a workflow file.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Version">Version of the file: made from its content.</param>
/// <param name="Before">Version that starts ran before; absent where there was none.</param>
/// <param name="Outcome">created, updated, or unchanged: starts ran this version already.</param>
/// <param name="Steps">Steps of the version.</param>
/// <param name="DryRun">Nothing was changed.</param>
public sealed record AppliedWorkflow(string Workflow, string Version, string? Before, [property: Words("created", "updated", "unchanged")] string Outcome, int Steps, bool DryRun);

/// <summary>A step that waits for an event.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance id.</param>
/// <param name="Run">Number of the run.</param>
/// <param name="Step">Name of the step.</param>
/// <param name="Event">Event type.</param>
/// <param name="ForPeople">People answer the event.</param>
/// <param name="Since">Begin of the wait.</param>
/// <param name="DueAt">The wait fails then.</param>
/// <param name="Overdue">That time has passed.</param>
/// <param name="Paused">The run is paused: an event is kept until it is resumed.</param>
/// <param name="Schema">JSON Schema of the event's fields.</param>
public sealed record WaitingStep(
    string Workflow, string Instance, int Run, string Step, string Event, bool ForPeople, DateTimeOffset? Since, DateTimeOffset DueAt, bool Overdue, bool Paused, RawJson Schema);

/// <summary>Choice of waits.</summary>
public sealed record WaitQuery : PagedQuery
{
    /// <summary>people, events, or null for both.</summary>
    public string? For { get; init; }

    /// <summary>Only for these event types; empty: any.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>Only of these workflows; empty: any.</summary>
    public IReadOnlyList<string> Workflows { get; init; } = [];

    /// <summary>Only waits whose time has passed.</summary>
    public bool Overdue { get; init; }
}
