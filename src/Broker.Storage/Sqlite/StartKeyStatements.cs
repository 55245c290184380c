using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Sqlite;

/// <summary>Statements that load and write the key of a start, made from the EF model.</summary>
internal sealed class StartKeyStatements
{
    private readonly RowMap<StartKeyRow, SqliteRows> map;

    public StartKeyStatements(IReadOnlyModel model)
    {
        var columns = new TableColumns<StartKeyRow>(model);
        (map, Values) = (new(columns), new(columns));
        Load = $"SELECT {columns.Names} FROM start_key WHERE key = @p0";
        Insert = $"INSERT INTO start_key ({columns.Names}) VALUES ({Values.Places})";
    }

    public string Load { get; }

    public string Insert { get; }

    /// <summary>The parameters of <see cref="Insert"/>.</summary>
    public RowValues<StartKeyRow> Values { get; }

    /// <summary>A row of <see cref="Load"/>.</summary>
    public StartKeyRow Read(SqliteRows rows) => map.Read(rows);
}
