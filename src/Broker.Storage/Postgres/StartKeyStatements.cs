using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Postgres;

/// <summary>Statements that load and write the keys of starts, made from the EF model.</summary>
internal sealed class StartKeyStatements
{
    private readonly RowMap<StartKeyRow, PostgresRows> map;
    private readonly RowArrays<StartKeyRow> arrays;

    public StartKeyStatements(IReadOnlyModel model)
    {
        var columns = new TableColumns<StartKeyRow>(model);
        (map, arrays) = (new(columns), new(columns));
        var rows = new ArrayRows([.. columns.Typed]);
        Load = $"SELECT {columns.Names} FROM start_key WHERE key = ANY($1)";
        Insert = $"INSERT INTO start_key ({rows.Names}) SELECT {rows.Values} FROM {rows.Each}";
    }

    public string Load { get; }

    /// <summary>First of the writes: a second transaction with the same key waits here, before it holds a lock that others wait for.</summary>
    public string Insert { get; }

    /// <summary>A row of <see cref="Load"/>.</summary>
    public StartKeyRow Read(PostgresRows rows) => map.Read(rows);

    public void AddInsert(BatchBuilder batch, IReadOnlyList<StartKeyRow> keys) => batch.Add(Insert, arrays.Of(keys));
}
