using Broker.Storage.Tables;

namespace Broker.Storage.Postgres;

/// <summary>Statement that inserts rows of a table, made from the EF model.</summary>
internal sealed class InsertStatement<TRow>
    where TRow : class
{
    private readonly RowArrays<TRow> arrays;

    public InsertStatement(string table, TableColumns<TRow> columns)
    {
        arrays = new(columns);
        var rows = new ArrayRows([.. columns.Typed]);
        Text = $"INSERT INTO {table} ({rows.Names}) SELECT {rows.Values} FROM {rows.Each}";
    }

    public string Text { get; }

    public void Add(BatchBuilder batch, IReadOnlyList<TRow> rows) => batch.Add(Text, arrays.Of(rows));
}
