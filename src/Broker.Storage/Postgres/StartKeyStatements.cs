using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Postgres;

/// <summary>Statements that load and write the keys of starts, made from the EF model.</summary>
internal sealed class StartKeyStatements
{
    private readonly RowMap<StartKeyRow, PostgresRows> map;
    private readonly InsertStatement<StartKeyRow> insert;

    public StartKeyStatements(IReadOnlyModel model)
    {
        var columns = new TableColumns<StartKeyRow>(model);
        (map, insert) = (new(columns), new("start_key", columns));
        Load = $"SELECT {columns.Names} FROM start_key WHERE key = ANY($1)";
    }

    public string Load { get; }

    public string Insert => insert.Text;

    /// <summary>A row of <see cref="Load"/>.</summary>
    public StartKeyRow Read(PostgresRows rows) => map.Read(rows);

    /// <summary>First of the writes: a second transaction with the same key waits here, before it holds a lock that others wait for.</summary>
    public void AddInsert(BatchBuilder batch, IReadOnlyList<StartKeyRow> keys) => insert.Add(batch, keys);
}
