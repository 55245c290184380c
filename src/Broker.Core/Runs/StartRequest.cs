using Broker.Core.Definitions;

namespace Broker.Core.Runs;

/// <summary>A run to start: a new instance, or a further run of one that exists.</summary>
public sealed record StartRequest(WorkflowDefinition Definition, string InstanceId)
{
    /// <summary>Raw JSON, any value; workers get it as it is.</summary>
    public string InputsJson { get; init; } = "{}";

    /// <summary>Raw JSON object, or null for none.</summary>
    public string? ContextJson { get; init; }

    /// <summary>Publish internal step events on the run's stream.</summary>
    public bool Streams { get; init; }

    public StartMode Mode { get; init; }

    /// <summary>W3C trace context of the request that started the run.</summary>
    public string? TraceParent { get; init; }

    /// <summary>For starts that may be sent again; null for none.</summary>
    public StartKey? Key { get; init; }
}

public enum StartMode
{
    /// <summary>The instance must be new.</summary>
    NewInstance,

    /// <summary>A further run is added unless the current one is still going; the instance is made if it is new.</summary>
    NextRun,

    /// <summary>A further run is added to an instance whose current run has succeeded, and inherits its context.</summary>
    Continue,
}

public enum StartVerdict
{
    Started,

    /// <summary>NewInstance: the id is taken in this workflow.</summary>
    AlreadyExists,

    /// <summary>NextRun, Continue: the current run has not ended; nothing was changed.</summary>
    StillActive,

    /// <summary>Continue: no such instance, or its current run did not succeed.</summary>
    NotContinuable,

    /// <summary>The key was used for another request before; nothing was changed.</summary>
    KeyReused,

    /// <summary>The limit of runs of the workflow that wait for workers is reached; nothing was changed.</summary>
    BacklogFull,
}

/// <summary>Outcome of a start: the new run, or the current one that prevents it.</summary>
public sealed record StartOutcome(StartVerdict Verdict, RunRef? Run, DateTimeOffset At)
{
    /// <summary>The answer to an earlier start under the same key: nothing was started now.</summary>
    public bool Replayed { get; init; }
}
