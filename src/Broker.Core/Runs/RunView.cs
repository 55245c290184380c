using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>A run as it is read: names, state, payloads, and (where asked for) its reached steps.</summary>
public sealed record RunView
{
    public required RunRef Ref { get; init; }
    public required WorkflowDefinition Definition { get; init; }
    public required RunStatus Status { get; init; }

    /// <summary>Creation of the instance: the same for all its runs.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Creation of this run.</summary>
    public required DateTimeOffset QueuedAt { get; init; }

    /// <summary>First grant, or begin of the first wait; null before.</summary>
    public DateTimeOffset? StartedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>No task is handed out before; null: from the creation on.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>When it fails if it has not ended by then; null: no limit, or it has ended.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>Added to the priority of each step.</summary>
    public int Priority { get; init; }

    /// <summary>Raw JSON object of the tags that its start gave it, or null.</summary>
    public string? TagsJson { get; init; }

    /// <summary>Raw JSON of the inputs.</summary>
    public required string InputsJson { get; init; }

    /// <summary>Raw JSON of the context, or null.</summary>
    public string? ContextJson { get; init; }

    /// <summary>Raw JSON of the final value; null until the run has succeeded.</summary>
    public string? ResultJson { get; init; }

    public StepError? Error { get; init; }

    /// <summary>Reached steps of the definition in order of index, without dynamic ones; empty when they were not asked for.</summary>
    public IReadOnlyList<StepState> Steps { get; init; } = [];

    public bool IsTerminal => Status is RunStatus.Succeeded or RunStatus.Failed or RunStatus.Cancelled;
}

/// <summary>Status of a run: a total function of its phase and of the states of its steps.</summary>
public static class RunStatuses
{
    public static RunStatus Of(RunPhase phase, bool leased, bool claimable, bool pending, bool begun) => phase switch
    {
        RunPhase.Pausing => RunStatus.Pausing,
        RunPhase.Paused => RunStatus.Paused,
        RunPhase.Succeeded => RunStatus.Succeeded,
        RunPhase.Failed => RunStatus.Failed,
        RunPhase.Cancelled => RunStatus.Cancelled,
        RunPhase.Active when leased => RunStatus.Running,
        RunPhase.Active when claimable => begun ? RunStatus.Running : RunStatus.Queued,
        RunPhase.Active => pending ? RunStatus.Waiting : RunStatus.Queued,
    };

    /// <param name="phase">Stored phase.</param>
    /// <param name="resumedAt">Last resume: a run is queued again until a later grant.</param>
    /// <param name="steps">The reached steps of the run.</param>
    /// <param name="now">Judges which retries are due.</param>
    public static RunStatus Of(RunPhase phase, DateTimeOffset? resumedAt, IEnumerable<StepState> steps, DateTimeOffset now)
    {
        bool leased = false, claimable = false, pending = false, begun = false;
        foreach (var step in steps)
        {
            leased |= step.Status is StepStatus.Leased;
            // A map has open items, which are none of these steps: its run is under way.
            claimable |= (step.Status is StepStatus.Ready && step.Due <= now) || step is { Status: StepStatus.Waiting, Items: not null };

            // A task of a run that starts later was never granted: the run is queued until then.
            pending |= step.Status is StepStatus.Waiting || (step.Status is StepStatus.Ready && step.Due > now && step.BegunAt is not null);
            begun |= (step.GrantedAt ?? step.BegunAt) is { } at && !(at < resumedAt);
        }

        return Of(phase, leased, claimable, pending, begun);
    }
}
