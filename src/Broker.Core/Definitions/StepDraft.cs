using Broker.Core.Conditions;
using Broker.Core.Steps;

namespace Broker.Core.Definitions;

/// <summary>A step as it was written, names not resolved yet.</summary>
internal sealed class StepDraft
{
    public required string Name { get; init; }
    public required StepKind Kind { get; init; }
    public required IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> Successors { get; init; }
    public required IReadOnlyList<string> Predecessors { get; init; }

    /// <summary>Jobs dialect: success of all of them is needed. Null for other definitions.</summary>
    public required IReadOnlyList<string>? DependsOn { get; init; }
    public required IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> AnyOf { get; init; }
    public Expression? When { get; init; }
    public bool Optional { get; init; }
    public string? FailFast { get; init; }
    public string? Command { get; init; }
    public required IReadOnlyList<string> RequiredLabels { get; init; }
    public int Priority { get; init; }
    public required RetryPolicy Retry { get; init; }
    public int? LeaseSecs { get; init; }
    public int? BudgetSecs { get; init; }
    public long? TimeoutMs { get; init; }
    public required StepTimeouts Timeouts { get; init; }
    public string? EventType { get; init; }
    public long DurationMs { get; init; }
    public required IReadOnlyList<string> Emits { get; init; }
    public required IReadOnlyList<string> Accepts { get; init; }
    public string? DisplayJson { get; init; }
    public MapDraft? Map { get; init; }
}
