using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using Broker.Core.Schedules;
using Broker.Core.Triggers;

namespace Broker.Core.Definitions;

/// <summary>Cost of an expired lease; part of the definition (design 2.4).</summary>
public enum LostLeaseRule
{
    /// <summary>The step goes back to the front, at most <see cref="WorkflowDefinition.MaxLeaseLosses"/> times.</summary>
    ReturnToFront,

    /// <summary>A retry is used up, with backoff: shell commands whose <c>max_retries</c> 0 means "never twice".</summary>
    UseRetry,
}

/// <summary>A workflow as registered: (name, version) → graph of steps. Immutable.</summary>
public sealed class WorkflowDefinition
{
    /// <summary>Steps in one definition, at most.</summary>
    public const int MaxSteps = 20_000;

    public required string Name { get; init; }
    public required string Version { get; init; }
    public required ImmutableArray<StepDefinition> Steps { get; init; }

    /// <summary>Declared output steps; empty means the sinks that ran.</summary>
    public ImmutableArray<int> Outputs { get; init; } = [];

    public LostLeaseRule LostLease { get; init; }

    /// <summary>How often a step may lose its lease before it counts as poison.</summary>
    public int MaxLeaseLosses { get; init; } = 3;

    /// <summary>
    /// Whether steps may be leased ahead of a worker's request: only where a step may run twice. After a crash of the broker, a step that was
    /// handed over looks like one that was not.
    /// </summary>
    public bool AllowsAhead => LostLease is LostLeaseRule.ReturnToFront && MaxLeaseLosses > 0 && !HasFailFast;

    /// <summary>Limit of a run in milliseconds; null: none.</summary>
    public long? RunMs { get; init; }

    /// <summary>Events that the workflow knows, start and stop event included.</summary>
    public required EventCatalog Events { get; init; }

    /// <summary>Inputs that a start may give; null: the definition declares none, and a start may give any.</summary>
    public InputCatalog? Inputs { get; init; }

    /// <summary>Schedules that come and go with the definition.</summary>
    public ImmutableArray<ScheduleEntry> Schedules { get; init; } = [];

    /// <summary>Subscriptions to events that name no run.</summary>
    public ImmutableArray<TriggerEntry> Triggers { get; init; } = [];

    /// <summary>Shown by the jobs dialect: display name and trigger text. Null for definitions of other dialects.</summary>
    public JobsDisplay? Jobs { get; init; }

    /// <summary>The document as it was registered (raw JSON), from which this was read.</summary>
    public required string Document { get; init; }

    /// <summary>Equal for two documents that are equal as JSON values, defaulted members filled in.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Step name → index.</summary>
    public required FrozenDictionary<string, int> IndexOf { get; init; }

    /// <summary>Steps without predecessors: ready when a run starts.</summary>
    public required ImmutableArray<int> Roots { get; init; }

    /// <summary>The steps whose results make the final value: the declared outputs, else the steps without successors.</summary>
    public required ImmutableArray<int> ResultSteps { get; init; }

    /// <summary>True when a step has a condition. Then each end of a step decides on the steps below, and needs every reached step of the run.</summary>
    public bool HasConditions { get; init; }

    /// <summary>A step is in a group that ends with the failure of one: the end of each step reads the others of its run.</summary>
    public bool HasFailFast { get; init; }

    /// <summary>True when a condition reads an input of the run.</summary>
    public bool ConditionsReadInputs { get; init; }

    /// <summary>True when a step is a wait or a sleep.</summary>
    public bool HasWaits { get; init; }

    /// <summary>True when some step is a shell command.</summary>
    public bool HasCommands { get; init; }

    /// <summary>
    /// Whether runs without a watching client publish step events too. Another client may watch a run later if it waits for events, or if its
    /// workflow has events beside start and stop.
    /// </summary>
    public bool MayBeWatched => HasWaits || Events.All.Length > 2;

    /// <summary>Steps that are maps, in order.</summary>
    public ImmutableArray<MapDefinition> Maps { get; init; } = [];

    /// <summary>The step of an index as the rules see it. All items of a map share one.</summary>
    public StepDefinition RulesOf(int index) => index < StepDefinition.FirstDynamic ? Steps[index] : MapOf(index).Item;

    /// <summary>The step of an index with its own name: also an item of a map.</summary>
    public StepDefinition StepOf(int index) => index < StepDefinition.FirstDynamic ? Steps[index] : MapOf(index).StepOf(index);

    /// <summary>The map that an item belongs to.</summary>
    public MapDefinition MapOf(int item) => Maps[MapDefinition.OrdinalOf(item)];

    /// <summary>Name of the step of an index.</summary>
    public string NameOf(int index) => index < StepDefinition.FirstDynamic ? Steps[index].Name : MapOf(index).NameOf(index);

    /// <summary>Index of the step of that name, items of maps (<c>resize[3]</c>) included; null: there can be none.</summary>
    public int? IndexOfName(string stepName)
    {
        if (IndexOf.TryGetValue(stepName, out var index)) return index;
        if (Maps.IsEmpty || !stepName.EndsWith(']') || stepName.LastIndexOf('[') is not (> 0 and var open)) return null;
        if (Find(stepName[..open])?.Map is not { } map) return null;
        return int.TryParse(stepName.AsSpan(open + 1, stepName.Length - open - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number < MapDefinition.MostItems && map.NameOf(map.First + number) == stepName ? map.First + number : null;
    }

    /// <summary>The step of that name, or null.</summary>
    public StepDefinition? Find(string stepName) => IndexOf.TryGetValue(stepName, out var index) ? Steps[index] : null;
}

/// <summary>Members of a workflow that the jobs dialect shows beside its jobs.</summary>
public sealed record JobsDisplay(string Name, string Trigger, bool FromFile);
