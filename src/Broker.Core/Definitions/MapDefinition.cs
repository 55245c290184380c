using System.Collections.Immutable;
using System.Globalization;

namespace Broker.Core.Definitions;

/// <summary>Value that a map gives on when its items have ended.</summary>
public enum MapCollect
{
    /// <summary>The results of its items as a list in their order. A list that is too long becomes a handle.</summary>
    Results,

    /// <summary>The numbers of items, of successes and of failures.</summary>
    Summary,

    /// <summary>Nothing.</summary>
    None,
}

/// <summary>Place of a map's list: a result of a step above, or an input of the run.</summary>
/// <param name="Text">As the definition has it, such as <c>results.fetch.files</c>.</param>
/// <param name="Step">Index of the step whose result holds the list; null: the inputs do.</param>
/// <param name="Path">Members that lead to the list.</param>
public sealed record ItemPlace(string Text, int? Step, ImmutableArray<string> Path);

/// <summary>Particulars of a map: its list, and the task that runs once for each value in it.</summary>
public sealed class MapDefinition
{
    /// <summary>Items of one map, at most. Each map has a stretch of so many indexes.</summary>
    public const int MostItems = 1 << StretchBits;

    /// <summary>Maps in one definition, at most.</summary>
    public const int MostMaps = 100;

    /// <summary>Items of one map that are ready, leased or waiting for a retry at the same time, at most.</summary>
    public const int LargestWindow = 1000;

    /// <summary>Longest list of results that is given on as a whole (bytes of JSON).</summary>
    public const int MostCollectedBytes = 1 << 20;

    /// <summary>Label that a worker offers for items of a handler: this and the handler's name.</summary>
    public const string HandlerLabel = "step:";

    private const int StretchBits = 17;

    /// <summary>Place among the maps of the definition, from 0.</summary>
    public required int Ordinal { get; init; }

    /// <summary>Index of the map's own step.</summary>
    public required int Index { get; init; }

    /// <summary>Name of the map's own step.</summary>
    public required string Name { get; init; }
    public required ItemPlace Items { get; init; }

    /// <summary>Items that are open at the same time, at most.</summary>
    public required int Window { get; init; }

    /// <summary>Failed items with which the map still succeeds.</summary>
    public required int Tolerated { get; init; }
    public MapCollect Collect { get; init; }

    /// <summary>The task of each item: a step without successors, which the rules share among all items.</summary>
    public required StepDefinition Item { get; init; }

    /// <summary>Index of the first item.</summary>
    public int First => FirstOf(Ordinal);

    /// <summary>Index of the first item of a map.</summary>
    public static int FirstOf(int ordinal) => StepDefinition.FirstDynamic + (ordinal << StretchBits);

    /// <summary>Place of the map that an index belongs to.</summary>
    public static int OrdinalOf(int index) => (index - StepDefinition.FirstDynamic) >> StretchBits;

    /// <summary>Place of an item in its list, from 0.</summary>
    public static int NumberOf(int index) => (index - StepDefinition.FirstDynamic) & (MostItems - 1);

    /// <summary>Whether an index is one of an item of this map.</summary>
    public bool Has(int index) => index >= StepDefinition.FirstDynamic && OrdinalOf(index) == Ordinal;

    /// <summary>Name of an item: that of the map with its place in the list.</summary>
    public string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"{Name}[{NumberOf(index)}]");

    /// <summary>An item as a step of its own, for readers and workers.</summary>
    public StepDefinition StepOf(int index) => new()
    {
        Index = index,
        Name = NameOf(index),
        Successors = Item.Successors,
        Predecessors = Item.Predecessors,
        Plain = Item.Plain,
        AnyOf = Item.AnyOf,
        Command = Item.Command,
        Handler = Item.Handler,
        RequiredLabels = Item.RequiredLabels,
        Priority = Item.Priority,
        Retry = Item.Retry,
        LeaseSecs = Item.LeaseSecs,
        TimeoutMs = Item.TimeoutMs,
        Timeouts = Item.Timeouts,
    };
}
