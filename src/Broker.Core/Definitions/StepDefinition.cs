using System.Collections.Immutable;
using Broker.Core.Conditions;
using Broker.Core.Steps;

namespace Broker.Core.Definitions;

/// <summary>Kind of a step: a worker finishes a task under a lease, the broker finishes the others. Numbers are stored.</summary>
public enum StepKind
{
    /// <summary>Claimed and reported by a worker.</summary>
    Task,

    /// <summary>Finished by the broker when a matching inbound event meets it, failed at its deadline.</summary>
    WaitForEvent,

    /// <summary>Finished by the broker when its time has passed.</summary>
    Sleep,

    /// <summary>Finished by the broker when the items of its list have ended.</summary>
    Map,
}

/// <summary>An any-of join: one finished member is enough. The first-listed member names the value for workers.</summary>
public sealed record AnyOfGroup(string Name, ImmutableArray<int> Members);

/// <summary>One node of a definition. Steps are addressed by their index in <see cref="WorkflowDefinition.Steps"/>.</summary>
public sealed class StepDefinition
{
    /// <summary>Indexes from here on are dynamic steps: rows with a name and a kind of their own, beside those of the definition. A lease id has 24 bits for the index.</summary>
    public const int FirstDynamic = 1 << 20;

    /// <summary>Priorities are between this and its negative.</summary>
    public const int MaxPriority = 1000;

    /// <summary>The plain edge: taken when no branch is named by the result.</summary>
    public const string DefaultAction = "default";

    public required int Index { get; init; }
    public required string Name { get; init; }
    public StepKind Kind { get; init; }

    /// <summary>Branch action → steps it leads to. A plain dictionary: freezing one for each of ten thousand steps took most of the reading.</summary>
    public required IReadOnlyDictionary<string, ImmutableArray<int>> Successors { get; init; }

    /// <summary>Every step that leads here. Back edges are left out unless an any-of group names them: no join waits for them (design 2.8).</summary>
    public required ImmutableArray<int> Predecessors { get; init; }

    /// <summary>Predecessors that are in no any-of group: all of them must finish.</summary>
    public required ImmutableArray<int> Plain { get; init; }

    public required ImmutableArray<AnyOfGroup> AnyOf { get; init; }

    /// <summary>Steps that count this one among their predecessors.</summary>
    public ImmutableArray<int> Dependents { get; internal set; } = [];

    /// <summary>Jobs-dialect dependencies: a predecessor must have succeeded, a skipped one does not do.</summary>
    public bool NeedsSuccess { get; init; }

    /// <summary>
    /// Decides, once every predecessor has ended, whether the step runs. Null: it runs when its joins are satisfied, which takes success.
    /// </summary>
    public Expression? When { get; init; }

    /// <summary>Its failure counts as success for the run and for the steps below.</summary>
    public bool Optional { get; init; }

    /// <summary>Group of steps that end together: when one of them fails, the others are cancelled (invariant 26). Null: none.</summary>
    public string? FailFast { get; init; }

    /// <summary>Shell command; a step that has one is offered to workers by label, any other to the definition's own workers.</summary>
    public string? Command { get; init; }

    /// <summary>Handler of an item without a command: workers offer its name as a label.</summary>
    public string? Handler { get; init; }

    /// <summary>Workers claim it by labels, whatever workflows they have registered.</summary>
    public bool IsClaimedByLabels => Command is not null || Handler is not null;

    /// <summary>Particulars of a map; null: the step is none.</summary>
    public MapDefinition? Map { get; internal set; }

    /// <summary>Labels a claim must carry, sorted, without repetition.</summary>
    public ImmutableArray<string> RequiredLabels { get; init; } = [];

    /// <summary>Higher is handed out first; 0 unless the definition says otherwise.</summary>
    public int Priority { get; init; }

    public RetryPolicy Retry { get; init; } = RetryPolicy.Never;

    /// <summary>Lease given when the claim asks for none (seconds); null: the broker's default, or the budget if that is longer.</summary>
    public int? LeaseSecs { get; init; }

    /// <summary>Longest time of the worker's own retries and time-outs together (seconds, rounded up), where a policy limits it.</summary>
    public int? BudgetSecs { get; init; }

    /// <summary>Time limit in milliseconds: of a wait, or of one attempt of a task, that the broker or the worker itself enforces.</summary>
    public long? TimeoutMs { get; init; }

    /// <summary>Limits of a task that the broker enforces.</summary>
    public StepTimeouts Timeouts { get; init; } = StepTimeouts.None;

    /// <summary>Event type that a <see cref="StepKind.WaitForEvent"/> step waits for.</summary>
    public string? EventType { get; init; }

    /// <summary>Length of a <see cref="StepKind.Sleep"/> in milliseconds.</summary>
    public long DurationMs { get; init; }

    /// <summary>Event types that the step may publish.</summary>
    public ImmutableArray<string> Emits { get; init; } = [];

    /// <summary>Event types that may be sent to the step.</summary>
    public ImmutableArray<string> Accepts { get; init; } = [];

    /// <summary>The worker is handed the run's pending events of these types. Shell commands have no place for them.</summary>
    public bool TakesEvents => !Accepts.IsEmpty && Kind is StepKind.Task && Command is null;

    /// <summary>Whether the end of this step keeps the steps below, those without a condition, from starting.</summary>
    public bool Blocks(StepState ended) => ended.Status switch
    {
        StepStatus.Failed => !Optional,
        StepStatus.Cancelled or StepStatus.NotRun => true,
        StepStatus.Pending or StepStatus.Ready or StepStatus.Leased or StepStatus.Waiting or StepStatus.Succeeded or StepStatus.Skipped => false,
    };

    /// <summary>Whether the step takes events of that type, as a wait or with its payload.</summary>
    public bool Wants(string type) => EventType == type || Accepts.Contains(type);

    /// <summary>Members of the job that the jobs dialect only shows: raw JSON object, returned as sent.</summary>
    public string? DisplayJson { get; init; }

    /// <summary>The priority of its step in a run that has one itself.</summary>
    public int PriorityIn(int run) => Math.Clamp(Priority + run, -MaxPriority, MaxPriority);

    /// <summary>The lease to grant, in seconds: the claim's, else the step's own, else the default or the longer budget.</summary>
    public int LeaseFor(int? claimed, int defaultSecs) => claimed ?? LeaseSecs ?? Math.Max(defaultSecs, BudgetSecs ?? 0);

    /// <summary>The steps that a result leads to: the branch that a string result names if there is one, else the default.</summary>
    public ImmutableArray<int> Chosen(string? branch)
    {
        if (branch is not null && Successors.TryGetValue(branch, out var named)) return named;
        return Successors.TryGetValue(DefaultAction, out var plain) ? plain : [];
    }
}
