using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Dispatch;

/// <summary>Data that a further run of an instance takes from the run before it.</summary>
internal sealed class RunHeritage<TRows>
    where TRows : struct, IRows
{
    private readonly RowMap<RunRow, TRows> map;

    public RunHeritage(IReadOnlyModel model)
    {
        var columns = new TableColumns<RunRow>(model).Only(
            nameof(RunRow.Id), nameof(RunRow.Inputs), nameof(RunRow.Context), nameof(RunRow.StartContext), nameof(RunRow.Tags), nameof(RunRow.LimitMs), nameof(RunRow.InstanceCreatedAt));
        (map, Names) = (new(columns), columns.Names);
    }

    /// <summary>For the list of a SELECT.</summary>
    public string Names { get; }

    public (long RunId, Inherited Heritage) Read(TRows rows)
    {
        var run = map.Read(rows);
        return (run.Id, new(run.Inputs, run.Context, run.StartContext, run.Tags, run.LimitMs, run.InstanceCreatedAt));
    }
}
