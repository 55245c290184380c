using Broker.Storage.Tables;

namespace Broker.Storage.Sqlite;

/// <summary>Statement that inserts rows of a table which the hot path only appends to, made from the EF model.</summary>
internal sealed class AppendStatement<TRow>
    where TRow : class
{
    public AppendStatement(string table, TableColumns<TRow> columns)
    {
        Values = new(columns);
        Insert = $"INSERT INTO {table} ({columns.Names}) VALUES ({Values.Places})";
    }

    public string Insert { get; }

    /// <summary>The parameters of <see cref="Insert"/>.</summary>
    public RowValues<TRow> Values { get; }
}
