using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Reads for the maps of one run within its transaction.</summary>
/// <param name="batch">The transaction.</param>
/// <param name="run">The run.</param>
/// <param name="newInputs">Raw JSON of the inputs of a run that has no row yet; null: it has one.</param>
/// <param name="earlier">The run whose items a new one keeps.</param>
internal sealed class MapReads(BatchContext batch, RunRef run, string? newInputs = null, long? earlier = null) : IMapReads
{
    public RunRef Run => run;

    // Rows of a retry are copied when the transaction is written: until then the earlier run has them.
    private long ItemRows => earlier ?? run.Id;

    public ItemList ItemsOf(MapDefinition map, StepState? known)
    {
        // A result that was reported in this transaction may yet be rolled back: no list of it is kept.
        if (newInputs is not null || known is not null) return ItemList.Read(map.Items, map.Items.Step is null ? newInputs ?? Inputs() : known?.Result);
        if (batch.Services.Items.Find(run.Id, map.Index) is { } kept) return kept;
        var list = ItemList.Read(map.Items, map.Items.Step is { } above ? ResultOf(above) : Inputs());
        if (list.Fault is null) batch.Services.Items.Keep(run.Id, map.Index, list);
        return list;
    }

    public IReadOnlyList<int> MissingItems(MapDefinition map, int from, int to, int most) =>
        [.. batch.Transaction.MissingItems(ItemRows, map.First + from, map.First + to, most).Select(MapDefinition.NumberOf)];

    public IEnumerable<StepState> OpenItems() => batch.Transaction.ActiveSteps([run.Id])[run.Id].Where(step => step.IsActive);

    public IReadOnlyDictionary<int, string?> ItemResults(MapDefinition map) => batch.Transaction.ItemResults(ItemRows, map.First, map.First + MapDefinition.MostItems);

    private string? ResultOf(int step) => batch.Transaction.Results([new StepKey(run.Id, step)]) is [var found] ? found.Result : null;

    private string Inputs() => batch.Transaction.Inherited([run.Id])[run.Id].Inputs;
}
