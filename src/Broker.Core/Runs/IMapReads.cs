using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Stored rows that the maps of a run need beside what its session was given. The run is locked.</summary>
public interface IMapReads
{
    /// <summary>Names of the run, for the handle of a list of results that is too long.</summary>
    RunRef Run { get; }

    /// <summary>The list of a map.</summary>
    /// <param name="map">The map.</param>
    /// <param name="known">The step whose result holds the list, where this session has written it; null: its row is stored.</param>
    ItemList ItemsOf(MapDefinition map, StepState? known);

    /// <summary>Numbers of items below a bound that have no row, in order: after a retry that keeps some.</summary>
    /// <param name="map">The map.</param>
    /// <param name="from">First number.</param>
    /// <param name="to">The bound.</param>
    /// <param name="most">Most numbers.</param>
    IReadOnlyList<int> MissingItems(MapDefinition map, int from, int to, int most);

    /// <summary>The open items of the run's maps, locked.</summary>
    IEnumerable<StepState> OpenItems();

    /// <summary>Results of the items of a map that have finished, by index.</summary>
    IReadOnlyDictionary<int, string?> ItemResults(MapDefinition map);
}
