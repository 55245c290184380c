using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Sqlite;

/// <summary>Statements that load and write one run, made from the EF model.</summary>
internal sealed class RunStatements
{
    private readonly RowMap<RunRow, SqliteRows> loaded;
    private readonly RowMap<RunRow, SqliteRows> assigned;

    public RunStatements(IReadOnlyModel model)
    {
        var columns = new RunColumns(model);
        (loaded, assigned, Values, ChangingValues) = (new(columns.Loaded), new(columns.Assigned), new(columns.All), new(columns.Changing));
        Load = $"SELECT {columns.Loaded.Names} FROM run WHERE id = @p0";
        LoadAssigned = $"SELECT {columns.Assigned.Names} FROM run WHERE id = @p0";
        var (context, result) = (ChangingValues[nameof(RunRow.Context)], ChangingValues[nameof(RunRow.Result)]);
        Update = $"""
            UPDATE run SET {ChangingValues.AssignmentsBut(nameof(RunRow.Id), nameof(RunRow.Context), nameof(RunRow.Result))},
                context = coalesce({context}, context), result = coalesce({result}, result) WHERE id = {ChangingValues[nameof(RunRow.Id)]}
            """;
        Insert = $"INSERT INTO run ({columns.All.Names}) VALUES ({Values.Places})";
    }

    public string Load { get; }

    /// <summary>Columns of the run that a claim hands out. RETURNING can name no other table, and eight look-ups in it cost more than this one.</summary>
    public string LoadAssigned { get; }

    public string Update { get; }

    public string Insert { get; }

    /// <summary>The parameters of <see cref="Insert"/>.</summary>
    public RowValues<RunRow> Values { get; }

    /// <summary>The parameters of <see cref="Update"/>.</summary>
    public RowValues<RunRow> ChangingValues { get; }

    /// <summary>A row of <see cref="Load"/>.</summary>
    public RunRow Read(SqliteRows rows) => loaded.Read(rows);

    /// <summary>A row of <see cref="LoadAssigned"/>.</summary>
    public RunRow ReadAssigned(SqliteRows rows) => assigned.Read(rows);
}
