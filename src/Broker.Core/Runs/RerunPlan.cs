using System.Collections.Frozen;
using Broker.Core.Definitions;
using Broker.Core.Schemas;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Steps that a retry or a fork keeps, and those that run again (invariant 24).</summary>
/// <param name="Kept">Ended steps of the earlier run, in the order in which they ended.</param>
/// <param name="Again">Reached steps that run again, or are decided again, by index.</param>
public sealed record RerunPlan(IReadOnlyList<StepState> Kept, IReadOnlyList<int> Again)
{
    /// <summary>Maps among <see cref="Again"/> whose list stays the same: only their items that have not succeeded run again.</summary>
    public IReadOnlyDictionary<int, MapProgress> Resumed { get; init; } = FrozenDictionary<int, MapProgress>.Empty;

    /// <summary>Plans a further run after some steps of an earlier one.</summary>
    /// <param name="definition">The graph of both runs.</param>
    /// <param name="reached">Every reached step of the earlier run.</param>
    /// <param name="from">Steps to run again beside those that did not end, failed or were cancelled; null: none.</param>
    /// <param name="changesInputs">The new run has other inputs: a map over one of them begins anew.</param>
    public static RerunPlan Of(WorkflowDefinition definition, IReadOnlyCollection<StepState> reached, IReadOnlyCollection<int>? from, bool changesInputs = false)
    {
        var again = new bool[definition.Steps.Length];
        var open = new Queue<int>(from ?? []);
        foreach (var step in reached.Where(step => !step.IsTerminal || (step.Status is not StepStatus.NotRun && definition.Steps[step.Index].Blocks(step)))) open.Enqueue(step.Index);
        while (open.TryDequeue(out var index))
        {
            if (again[index]) continue;
            again[index] = true;
            foreach (var below in definition.Steps[index].Dependents) open.Enqueue(below);
        }

        return new(
            [.. reached.Where(step => !again[step.Index]).OrderBy(step => step.EndedAt).ThenBy(step => step.Index).Select(WithoutLease)],
            [.. reached.Where(step => again[step.Index]).Select(step => step.Index).Order()])
        {
            Resumed = definition.Maps.IsEmpty ? FrozenDictionary<int, MapProgress>.Empty : ResumedOf(definition, reached, again, from, changesInputs),
        };
    }

    private static Dictionary<int, MapProgress> ResumedOf(
        WorkflowDefinition definition, IReadOnlyCollection<StepState> reached, bool[] again, IReadOnlyCollection<int>? from, bool changesInputs)
    {
        var resumed = new Dictionary<int, MapProgress>();
        foreach (var step in reached.Where(step => again[step.Index] && step.Items is { IsRead: true } && from?.Contains(step.Index) is not true))
        {
            // Below a step that runs again, items may be given other results than before.
            var map = definition.Steps[step.Index];
            var isSame = !map.Predecessors.Any(above => again[above]) && (map.Map!.Items.Step is not null || !changesInputs);
            if (isSame) resumed[step.Index] = step.Items!.Again();
        }

        return resumed;
    }

    private static StepState WithoutLease(StepState ended) => ended with { Fence = null, ExpiresAt = null, Ahead = false, Deadline = null, TotalDeadline = null };
}

/// <summary>A further run that keeps finished steps of an earlier one: a retry, or a fork into a new instance.</summary>
/// <param name="Workflow">Workflow of the earlier run.</param>
/// <param name="InstanceId">Its instance.</param>
public sealed record RerunRequest(string Workflow, string InstanceId)
{
    /// <summary>Number of the earlier run; null: the current one. A retry takes only that.</summary>
    public int? Number { get; init; }

    /// <summary>Names of steps to run again beside those that failed or were cancelled, each with all that follow it; null: none.</summary>
    public IReadOnlyList<string>? Steps { get; init; }

    /// <summary>Id of the new instance; null: a further run of the same one.</summary>
    public string? ForkInto { get; init; }

    /// <summary>Raw JSON of the fork's inputs; null: those of the earlier run.</summary>
    public string? InputsJson { get; init; }

    /// <summary>Gives the new run the events that no step of the earlier one has taken.</summary>
    public bool CopiesEvents { get; init; } = true;

    /// <summary>Only says what is kept and what runs again.</summary>
    public bool DryRun { get; init; }
}

/// <summary>Verdict on a retry or a fork.</summary>
public enum RerunVerdict
{
    Started,

    /// <summary>A dry run: nothing was changed.</summary>
    Planned,
    UnknownRun,

    /// <summary>A named step is none of the definition.</summary>
    UnknownStep,

    /// <summary>Retry: the run has not ended.</summary>
    StillActive,

    /// <summary>Retry: no step failed or was cancelled.</summary>
    NothingFailed,

    /// <summary>Fork: the instance is there already.</summary>
    AlreadyExists,

    /// <summary>Fork: the definition does not take these inputs.</summary>
    InputsRefused,
}

/// <summary>Outcome of a retry or a fork: the new run, and names of steps.</summary>
public sealed record RerunOutcome(RerunVerdict Verdict, RunRef? Run = null)
{
    /// <summary>Steps whose results the new run has from the earlier one.</summary>
    public IReadOnlyList<string> Kept { get; init; } = [];

    /// <summary>Steps that had begun, or were decided, and are so again.</summary>
    public IReadOnlyList<string> RunsAgain { get; init; } = [];

    /// <summary>InputsRefused: what is wrong, as JSON pointers into the inputs.</summary>
    public IReadOnlyList<SchemaError> Problems { get; init; } = [];

    /// <summary>UnknownStep: its name.</summary>
    public string? Step { get; init; }
}
