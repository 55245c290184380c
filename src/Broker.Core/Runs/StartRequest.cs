using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Schemas;

namespace Broker.Core.Runs;

/// <summary>A run to start: a new instance, or a further run of one that exists.</summary>
public sealed record StartRequest(WorkflowDefinition Definition, string InstanceId)
{
    /// <summary>Raw JSON, any value; workers get it as it is.</summary>
    public string InputsJson { get; init; } = "{}";

    /// <summary>The event that the inputs are the fields of; null: the definition's start event, where that has a schema.</summary>
    public EventDefinition? StartEvent { get; init; }

    /// <summary>Faults of the inputs: no run starts with them. An earlier start under the same key is answered all the same.</summary>
    public IReadOnlyList<SchemaError> InputProblems { get; init; } = [];

    /// <summary>NextRun: a run that is active is joined only if its inputs are the same as JSON values.</summary>
    public bool JoinsEqualInputs { get; init; }

    /// <summary>Raw JSON object, or null for none.</summary>
    public string? ContextJson { get; init; }

    /// <summary>Publish internal step events on the run's stream.</summary>
    public bool Streams { get; init; }

    public StartMode Mode { get; init; }

    /// <summary>No task is handed out before that instant; null, or one that has passed: at once.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>The same, counted from the start by the store's clock.</summary>
    public long? DelayMs { get; init; }

    /// <summary>Added to the priority of each step; the sum stays within <see cref="StepDefinition.MaxPriority"/>.</summary>
    public int Priority { get; init; }

    /// <summary>Raw JSON object, or null for none.</summary>
    public string? TagsJson { get; init; }

    /// <summary>Limit of the run in milliseconds, in place of the definition's; null: the definition's.</summary>
    public long? LimitMs { get; init; }

    /// <summary>A further run without a context of its own starts with the last context of the run before. A run of Continue does in any case.</summary>
    public bool InheritsContext { get; init; }

    /// <summary>NextRun: the instance is not made when it is new.</summary>
    public bool MustExist { get; init; }

    /// <summary>W3C trace context of the request that started the run.</summary>
    public string? TraceParent { get; init; }

    /// <summary>For starts that may be sent again; null for none.</summary>
    public StartKey? Key { get; init; }

    /// <summary>Whether the run may start.</summary>
    /// <param name="exists">The instance has a run.</param>
    /// <param name="before">Its current run, locked; null when there is none, and for NewInstance, which does not look at it.</param>
    public StartVerdict Judge(bool exists, RunState? before) => InputProblems.Count > 0 ? StartVerdict.InputsRefused : Mode switch
    {
        StartMode.NewInstance => !exists ? StartVerdict.Started : StartVerdict.AlreadyExists,
        StartMode.NextRun when before is null => MustExist ? StartVerdict.NotContinuable : StartVerdict.Started,
        StartMode.NextRun => before.IsTerminal ? StartVerdict.Started : StartVerdict.StillActive,
        StartMode.Continue when before is { IsTerminal: false } => StartVerdict.StillActive,
        StartMode.Continue => before is { Phase: RunPhase.Succeeded } ? StartVerdict.Started : StartVerdict.NotContinuable,
    };

    /// <summary>Names of the inputs of which the active run, read under its lock, has another value.</summary>
    public IReadOnlyList<string> DifferencesFrom(string standingInputs)
    {
        Dictionary<string, string> mine = Members(InputsJson), its = Members(standingInputs);
        return [.. mine.Keys.Union(its.Keys).Where(name => mine.GetValueOrDefault(name) != its.GetValueOrDefault(name)).Order(StringComparer.Ordinal)];
    }

    // Inputs of other dialects may be any value: one that is no object is a member without a name.
    private static Dictionary<string, string> Members(string inputs)
    {
        var value = JsonElement.Parse(inputs);
        if (value.ValueKind is not JsonValueKind.Object) return new(StringComparer.Ordinal) { [""] = CanonicalJson.Of(value) };
        var members = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject()) members[JsonText.NameOf(member)] = CanonicalJson.Of(member.Value);
        return members;
    }

    /// <summary>The instant from which on tasks are handed out; null: the start itself.</summary>
    public DateTimeOffset? BeginsAt(DateTimeOffset now)
    {
        var begin = DelayMs is { } delay ? now.AddMilliseconds(delay) : StartAt;
        return begin > now ? begin : null;
    }

    /// <summary>The context that a further run starts with.</summary>
    /// <param name="last">The last context of the run before, read under its lock.</param>
    public string? ContextAfter(string? last) => ContextJson ?? (InheritsContext || Mode is StartMode.Continue ? last : null);
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

    /// <summary>Continue: no such instance, or its current run did not succeed. NextRun that must exist: no such instance.</summary>
    NotContinuable,

    /// <summary>The key was used for another request before; nothing was changed.</summary>
    KeyReused,

    /// <summary>The limit of runs of the workflow that wait for workers is reached; nothing was changed.</summary>
    BacklogFull,

    /// <summary>An operator has paused the starts of the workflow; nothing was changed.</summary>
    StartsPaused,

    /// <summary>The inputs are none that the definition takes; nothing was changed.</summary>
    InputsRefused,

    /// <summary>NextRun that joins equal inputs only: the active run has others; nothing was changed.</summary>
    OtherInputs,
}

/// <summary>Outcome of a start: the new run, or the current one that prevents it.</summary>
public sealed record StartOutcome(StartVerdict Verdict, RunRef? Run, DateTimeOffset At)
{
    /// <summary>The answer to an earlier start under the same key: nothing was started now.</summary>
    public bool Replayed { get; init; }

    /// <summary>InputsRefused: what is wrong, as JSON pointers into the inputs.</summary>
    public IReadOnlyList<SchemaError> Problems { get; init; } = [];

    /// <summary>OtherInputs: names of the inputs that differ.</summary>
    public IReadOnlyList<string> Differences { get; init; } = [];
}
